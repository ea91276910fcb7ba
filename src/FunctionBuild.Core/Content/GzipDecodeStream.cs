using System.IO.Compression;

namespace FunctionBuild.Core.Content;

/// <summary>
/// gzip through <see cref="GZipStream"/>, made strict. The runtime's stream takes a cut file for a complete one and
/// ignores whatever follows the last member; an image must not be. So, when the source is at its end, one more tiny
/// member is fed: it comes out unharmed only if the source ended where a member ends. Zero padding, which
/// gzip tools accept, is fed byte by byte, so that the stream's stopping there is seen.
/// </summary>
internal sealed class GzipDecodeStream : ReadOnlyStream
{
    private static readonly byte[] Canary = "function-build-end"u8.ToArray();
    private static readonly byte[] CanaryMember = Compress(Canary);

    private readonly MemberSource _source;
    private readonly GZipStream _decoder;
    private bool _ended;

    public GzipDecodeStream(Stream source)
    {
        _source = new MemberSource(source);
        _decoder = new GZipStream(_source, CompressionMode.Decompress, leaveOpen: true);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_ended || buffer.IsEmpty)
        {
            return 0;
        }

        int read;
        try
        {
            read = _decoder.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            throw _source.CanaryGiven
                ? Truncated(e)
                : new DecodeException(Compression.Gzip, truncated: false, "the compressed data are damaged, or their CRC-32 or length does not match", e);
        }

        if (read > 0 && !_source.CanaryGiven)
        {
            return read;
        }

        CheckEnd(buffer, read);
        _ended = true;
        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder.Dispose();
        }

        base.Dispose(disposing);
    }

    private void CheckEnd(Span<byte> buffer, int read)
    {
        if (!_source.CanaryGiven)
        {
            // It stopped by itself: a member ended, and what followed is no member.
            if (!_source.OnlyZerosRemain())
            {
                throw new DecodeException(Compression.Gzip, truncated: false, "data that are not gzip follow the end of the compressed stream");
            }

            return;
        }

        Span<byte> tail = stackalloc byte[Canary.Length + 1];
        int length = Math.Min(read, tail.Length);
        buffer[..length].CopyTo(tail);
        try
        {
            int more;
            while (length < tail.Length && (more = _decoder.Read(tail[length..])) > 0)
            {
                length += more;
            }
        }
        catch (InvalidDataException e)
        {
            throw Truncated(e);
        }

        if (!tail[..length].SequenceEqual(Canary))
        {
            throw Truncated();
        }
    }

    private static DecodeException Truncated(Exception? cause = null) =>
        new(Compression.Gzip, truncated: true, "the compressed stream ends too early", cause);

    private static byte[] Compress(byte[] content)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return buffer.ToArray();
    }

    /// <summary>
    /// What the decoder reads: the source, the zeros at its very end one at a time, then the canary. A call returns
    /// bytes of one kind only, so all that the decoder gave before <see cref="CanaryGiven"/> belongs to the source.
    /// </summary>
    private sealed class MemberSource(Stream inner) : ReadOnlyStream
    {
        private readonly byte[] _block = new byte[8192];
        private int _start;
        private int _end;
        private long _zerosBefore;
        private int _zerosAfter;
        private bool _innerEnded;
        private bool _gavePadding;
        private int _canaryPosition;

        public bool CanaryGiven => _canaryPosition > 0;

        public override int Read(Span<byte> buffer)
        {
            if (_start == _end && _zerosBefore + _zerosAfter == 0 && !_innerEnded)
            {
                int read = ReadSource(buffer);
                if (read > 0)
                {
                    return read;
                }
            }

            // Zeros that ended a block are held back until it is known whether they are the last of the source.
            while (_start == _end && !_innerEnded)
            {
                _zerosBefore += _zerosAfter;
                _zerosAfter = 0;
                _start = 0;
                _end = ReadSource(_block);
            }

            if (_zerosBefore > 0)
            {
                _gavePadding = _innerEnded;
                int count = _innerEnded ? 1 : (int)Math.Min(_zerosBefore, buffer.Length);
                buffer[..count].Clear();
                _zerosBefore -= count;
                return count;
            }

            if (_start < _end)
            {
                int count = Math.Min(buffer.Length, _end - _start);
                _block.AsSpan(_start, count).CopyTo(buffer);
                _start += count;
                return count;
            }

            int rest = Math.Min(buffer.Length, CanaryMember.Length - _canaryPosition);
            CanaryMember.AsSpan(_canaryPosition, rest).CopyTo(buffer);
            _canaryPosition += rest;
            return rest;
        }

        /// <summary>Whether the decoder stopped in the padding, and not in front of other data.</summary>
        public bool OnlyZerosRemain() => _gavePadding;

        /// <summary>Reads a piece of the source and sets the zeros at its end aside; how many bytes are before them.</summary>
        private int ReadSource(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            _innerEnded = read == 0;
            int kept = buffer[..read].LastIndexOfAnyExcept((byte)0) + 1;
            _zerosAfter = read - kept;
            return kept;
        }
    }
}
