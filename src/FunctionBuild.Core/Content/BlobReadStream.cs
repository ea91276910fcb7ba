using System.Security.Cryptography;
using FunctionBuild.Core.Oci;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Content;

/// <summary>Reads a blob once, front to back, and verifies its digest when the last byte has passed.</summary>
internal sealed class BlobReadStream : ReadOnlyStream
{
    private readonly Blob _blob;
    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _position;

    public BlobReadStream(Blob blob)
    {
        _blob = blob;
        try
        {
            _file = File.OpenHandle(blob.FilePath, options: FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw blob.Changed("can no longer be read", e);
        }
    }

    public override long Length => _blob.Length;

    // Said to be seekable because the tar writer asks for the length of what it copies; it only ever moves forward.
    public override bool CanSeek => true;

    public override long Position
    {
        get => _position;
        set => ArgumentOutOfRangeException.ThrowIfNotEqual(value, _position);
    }

    public override int Read(Span<byte> buffer)
    {
        int wanted = (int)Math.Min(buffer.Length, _blob.Length - _position);
        if (wanted == 0)
        {
            return 0;
        }

        int read = RandomAccess.Read(_file, buffer[..wanted], _blob.Offset + _position);
        if (read == 0)
        {
            throw _blob.Changed("was cut short");
        }

        _position += read;
        _hash.AppendData(buffer[..read]);
        if (_position == _blob.Length && Digest.FromHash(_hash.GetHashAndReset()) != _blob.Digest)
        {
            throw _blob.Changed("was changed");
        }

        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
