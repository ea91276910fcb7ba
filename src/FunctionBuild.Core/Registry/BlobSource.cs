using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// A blob that is read from any place on. Going back means to begin anew, because a blob is verified from its first byte
/// to its last.
/// </summary>
internal sealed class BlobSource(Blob blob) : IDisposable
{
    private const int SkipSize = 128 * 1024;

    private Stream? _stream;
    private long _position;

    /// <summary>Reads from a place in the blob.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>BlobChanged</c>.</exception>
    public int Read(long offset, Span<byte> buffer)
    {
        MoveTo(offset);
        int read = _stream!.Read(buffer);
        _position += read;
        return read;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream?.Dispose();

    private void MoveTo(long offset)
    {
        if (_stream is null || offset < _position)
        {
            _stream?.Dispose();
            _stream = blob.OpenRead();
            _position = 0;
        }

        if (_position < offset)
        {
            byte[] skipped = new byte[SkipSize];
            while (_position < offset)
            {
                _position += _stream.Read(skipped.AsSpan(0, (int)Math.Min(SkipSize, offset - _position)));
            }
        }
    }
}
