using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Tarballs;

/// <summary>
/// What the tar reader reads from. It refuses headers of absurd size: extended headers and long names are read in one
/// piece, so a request for more than <see cref="MaximumHeader"/> while a header is read can only be one.
/// </summary>
internal sealed class HeaderGuardStream(Stream inner) : ReadOnlyStream
{
    /// <summary>The largest extended header accepted, in bytes.</summary>
    public const int MaximumHeader = 1024 * 1024;

    private long _position;

    /// <summary>Whether the tar reader is reading a header.</summary>
    public bool InHeader { get; set; }

    /// <summary>Bytes read so far: the offset of the next byte in the archive.</summary>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (InHeader && buffer.Length > MaximumHeader)
        {
            throw new HeaderTooLargeException(buffer.Length);
        }

        int read = inner.Read(buffer);
        _position += read;
        return read;
    }
}
