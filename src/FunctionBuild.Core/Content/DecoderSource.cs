using System.Runtime.ExceptionServices;

namespace FunctionBuild.Core.Content;

/// <summary>
/// The source as a library's decoder sees it. Decoders read byte by byte, so it buffers; some take a short read for the
/// end, so it reads in full; and all meet the end and failures of a source in their own ways, so it remembers those.
/// </summary>
internal sealed class DecoderSource(Stream inner) : ReadOnlyStream
{
    private readonly byte[] _block = new byte[32 * 1024];
    private int _start;
    private int _end;
    private long _position;

    /// <summary>Whether the decoder went on reading at the end.</summary>
    public bool Ended { get; private set; }

    /// <summary>The source's own failure, which is not the decoder's.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>The next bytes without consuming them; fewer than <paramref name="count"/> at the end only.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        while (_end - _start < count && Fill())
        {
        }

        return _block.AsSpan(_start, Math.Min(count, _end - _start));
    }

    public override int Read(Span<byte> buffer)
    {
        int total = 0;
        while (total < buffer.Length && (_start < _end || Fill()))
        {
            int count = Math.Min(buffer.Length - total, _end - _start);
            _block.AsSpan(_start, count).CopyTo(buffer[total..]);
            Consume(count);
            total += count;
        }

        Ended |= total == 0 && !buffer.IsEmpty;
        return total;
    }

    public override int ReadByte()
    {
        if (_start == _end && !Fill())
        {
            Ended = true;
            return -1;
        }

        byte next = _block[_start];
        Consume(1);
        return next;
    }

    private void Consume(int count)
    {
        _start += count;
        _position += count;
    }

    private bool Fill()
    {
        _block.AsSpan(_start, _end - _start).CopyTo(_block);
        _end -= _start;
        _start = 0;
        try
        {
            int read = inner.Read(_block.AsSpan(_end));
            _end += read;
            return read > 0;
        }
        catch (Exception e)
        {
            Failure = ExceptionDispatchInfo.Capture(e);
            throw;
        }
    }
}
