namespace FunctionBuild.Core.Content;

/// <summary>A library's decoder whose every failure is a <see cref="DecodeException"/>; a failure of the source passes as it is.</summary>
internal sealed class CheckedDecodeStream(Compression compression, Stream source, Func<DecoderSource, Stream> open) : ReadOnlyStream
{
    private readonly DecoderSource _source = new(source);
    private Stream? _decoder;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        int read;
        bool more;
        try
        {
            _decoder ??= open(_source);
            read = _decoder.Read(buffer);
            more = read == 0 && _source.ReadByte() >= 0;
        }
        catch (Exception e)
        {
            _source.Failure?.Throw();
            throw new DecodeException(compression, _source.Ended, e.Message, e);
        }

        return more
            ? throw new DecodeException(compression, truncated: false, "data follows the end of the compressed stream")
            : read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder?.Dispose();
        }

        base.Dispose(disposing);
    }
}
