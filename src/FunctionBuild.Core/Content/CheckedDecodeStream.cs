namespace FunctionBuild.Core.Content;

/// <summary>A library's decoder whose every failure is a <see cref="DecodeException"/>.</summary>
internal sealed class CheckedDecodeStream(Compression compression, Stream source, Func<Stream, Stream> open) : ReadOnlyStream
{
    private readonly SourceProbe _source = new(source);
    private Stream? _decoder;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        try
        {
            _decoder ??= open(_source);
            int read = _decoder.Read(buffer);
            if (read == 0 && _source.ReadByte() >= 0)
            {
                throw new DecodeException(compression, truncated: false, "data follows the end of the compressed stream");
            }

            return read;
        }
        catch (Exception e) when (e is not (OperationCanceledException or DecodeException or FunctionBuildException) && !_source.Failed)
        {
            // Decoders meet the end of a cut source in their own ways; that it was asked for more than there is tells all.
            throw new DecodeException(compression, _source.Ended, e.Message, e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The source as the decoder sees it; remembers whether it ended or failed.</summary>
    private sealed class SourceProbe(Stream inner) : ReadOnlyStream
    {
        public bool Ended { get; private set; }

        public bool Failed { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            Failed = true;
            int read = inner.Read(buffer);
            Failed = false;
            Ended |= read == 0 && !buffer.IsEmpty;
            return read;
        }
    }
}
