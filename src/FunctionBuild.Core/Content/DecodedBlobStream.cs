namespace FunctionBuild.Core.Content;

/// <summary>Reads once, front to back, what a compressed blob decompresses to; its length is known from when it was read first.</summary>
internal sealed class DecodedBlobStream : ReadOnlyStream
{
    private readonly Blob _blob;
    private readonly Stream _source;
    private readonly Stream _decoder;
    private long _position;

    public DecodedBlobStream(Blob blob, Compression compression, long length)
    {
        _blob = blob;
        Length = length;
        _source = blob.OpenRead();
        _decoder = Codecs.OpenDecoder(compression, _source);
    }

    public override long Length { get; }

    // As for a blob's own stream: the tar writer asks for the length of what it copies.
    public override bool CanSeek => true;

    public override long Position
    {
        get => _position;
        set => ArgumentOutOfRangeException.ThrowIfNotEqual(value, _position);
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            int read = _decoder.Read(buffer);
            _position += read;
            return _position > Length || (read == 0 && buffer.Length > 0 && _position < Length)
                ? throw _blob.Changed("was changed")
                : read;
        }
        catch (DecodeException e)
        {
            throw _blob.Changed("was changed", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder.Dispose();
            _source.Dispose();
        }

        base.Dispose(disposing);
    }
}
