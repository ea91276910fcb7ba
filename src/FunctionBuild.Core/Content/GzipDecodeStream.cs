using System.IO.Hashing;
using System.Runtime.ExceptionServices;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Decompresses gzip (RFC 1952). It takes nothing for granted: each member's CRC-32 and length are verified, and the
/// source must end where a member ends, zero padding aside, which gzip tools accept. It can find points between deflate
/// blocks, and begin at one; .NET's <see cref="System.IO.Compression.GZipStream"/> can do none of this.
/// </summary>
/// <remarks>
/// It decompresses up to 128 KiB ahead of its reader. A failure, its own (<see cref="DecodeException"/>) or the source's, is thrown
/// when all output before it was given, and by every read from then on.
/// </remarks>
internal sealed class GzipDecodeStream : ReadOnlyStream
{
    /// <summary>
    /// More output than lies between the reader and the decoder: of two points that far apart, one at least is not ahead
    /// of the reader.
    /// </summary>
    private const int PointSpacing = 256 * 1024;

    private readonly DeflateInput _input;
    private readonly Inflater _inflater;
    private readonly bool _findPoints;
    private State _state;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Where the output that was not given starts.</summary>
    private int _given;

    /// <summary>Where the output that was not counted starts.</summary>
    private int _counted;
    private long _length;
    private long _memberLength;
    private Crc32 _memberCrc = new();

    private GzipResumePoint? _older;
    private GzipResumePoint? _newer;

    /// <summary>From the start of a gzip file; the source stays open.</summary>
    public GzipDecodeStream(Stream source, bool findPoints = false)
    {
        _input = new DeflateInput(source);
        _inflater = new Inflater(_input);
        _findPoints = findPoints;
    }

    /// <summary>From a point on; the next byte of the source is that at the point's offset of the file.</summary>
    public GzipDecodeStream(Stream source, GzipResumePoint point, bool findPoints = false)
    {
        _input = new DeflateInput(source, point.SourceOffset, point.BitOffset);
        _inflater = new Inflater(_input);
        _inflater.Start(point.Window);
        _findPoints = findPoints;
        _state = State.Blocks;
        _given = _counted = _inflater.End;
        _length = point.OutputOffset;
        _memberLength = point.MemberLength;
        _memberCrc = point.CopyCrc();
        point.IsShared = true;
        _newer = findPoints ? point : null;
    }

    private enum State
    {
        FirstHeader,
        Header,
        Blocks,
        Trailer,
        End,
    }

    /// <summary>Bytes of the file before the end of what was taken from the source. The output so far depends on no others.</summary>
    public long Consumed => _input.Consumed;

    /// <summary>
    /// The latest known point at or before that offset of the output; null when there is none, or none are sought. Two points
    /// are known, 256 KiB of output apart or, with larger blocks, up to a block more. One of them is before the reader,
    /// since the first is where the file's first block begins.
    /// </summary>
    public GzipResumePoint? PointBefore(long outputOffset)
    {
        GzipResumePoint? found = _newer?.OutputOffset <= outputOffset ? _newer
            : _older?.OutputOffset <= outputOffset ? _older
            : null;
        found?.IsShared = true;
        return found;
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        while (_given == _inflater.End)
        {
            _failure?.Throw();
            if (_state == State.End)
            {
                return 0;
            }

            try
            {
                Decode();
            }
            catch (Exception e)
            {
                _failure = ExceptionDispatchInfo.Capture(e);
            }
        }

        ReadOnlySpan<byte> output = _inflater.Output(_given);
        int count = Math.Min(buffer.Length, output.Length);
        output[..count].CopyTo(buffer);
        _given += count;
        return count;
    }

    /// <summary>Goes on until there is no room for more output.</summary>
    private void Decode()
    {
        int moved = _inflater.MakeRoom();
        _given -= moved;
        _counted -= moved;
        while (_state != State.End)
        {
            switch (_state)
            {
                case State.Blocks:
                    InflateStop stop = _inflater.Run();
                    if (stop == InflateStop.Limit)
                    {
                        Count();
                        return;
                    }

                    if (stop == InflateStop.Block)
                    {
                        FoundPoint();
                    }
                    else
                    {
                        _state = State.Trailer;
                    }

                    break;

                case State.Trailer:
                    CheckTrailer();
                    _state = State.Header;
                    break;

                default:
                    StartMember();
                    break;
            }
        }
    }

    private void StartMember()
    {
        if (!GzipHeader.Read(_input, _state == State.FirstHeader))
        {
            _state = State.End;
            return;
        }

        _state = State.Blocks;
        _inflater.Start();
        _memberLength = 0;
        _memberCrc.Reset();
        FoundPoint();
    }

    private void CheckTrailer()
    {
        Count();
        _input.SkipToByte();
        if (_input.Take(32) != _memberCrc.GetCurrentHashAsUInt32())
        {
            throw DeflateInput.Damaged("the content's CRC-32 does not match");
        }

        if (_input.Take(32) != (uint)_memberLength)
        {
            throw DeflateInput.Damaged("the content's length does not match");
        }
    }

    private void FoundPoint()
    {
        if (!_findPoints || (_newer is not null && _length + _inflater.End - _counted - _newer.OutputOffset < PointSpacing))
        {
            return;
        }

        Count();
        GzipResumePoint? recycled = _older is { IsShared: false } ? _older : null;
        _older = _newer;
        _newer = new GzipResumePoint(_input.Offset, _input.Bit & 7, _length, _memberLength, _inflater.Window, _memberCrc, recycled);
    }

    /// <summary>Takes the latest output into account.</summary>
    private void Count()
    {
        ReadOnlySpan<byte> output = _inflater.Output(_counted);
        _memberCrc.Append(output);
        _length += output.Length;
        _memberLength += output.Length;
        _counted = _inflater.End;
    }
}
