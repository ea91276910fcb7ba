using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Content;

/// <summary>
/// The one reader of an input file: opened once, read once from the first byte to the last, in large blocks.
/// It counts what it reads, lets the first bytes be looked at without consuming them, and stops at once when
/// the import is cancelled.
/// </summary>
internal sealed class TarballInputStream : ReadOnlyStream
{
    private const int BlockSize = 256 * 1024;

    // Whoever reads so much at a time has a buffer already.
    private const int LargeRead = 64 * 1024;

    private readonly SafeFileHandle? _file;
    private readonly Stream? _stream;
    private readonly Action<int> _onRead;
    private readonly CancellationToken _cancellation;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
    private int _start;
    private int _end;
    private long _filePosition;

    public TarballInputStream(string path, Action<int> onRead, CancellationToken cancellation)
        : this(onRead, cancellation) => _file = File.OpenHandle(path, options: FileOptions.SequentialScan);

    public TarballInputStream(Stream stream, Action<int> onRead, CancellationToken cancellation)
        : this(onRead, cancellation) => _stream = stream;

    private TarballInputStream(Action<int> onRead, CancellationToken cancellation)
    {
        _onRead = onRead;
        _cancellation = cancellation;
    }

    /// <summary>How many bytes have been handed out.</summary>
    public long Consumed { get; private set; }

    /// <summary>The next bytes, up to <paramref name="count"/>, without consuming them; fewer at the end of the file.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        while (_end - _start < count && Fill())
        {
        }

        return _buffer.AsSpan(_start, Math.Min(count, _end - _start));
    }

    public override int Read(Span<byte> buffer)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (_start == _end && buffer.Length >= LargeRead)
        {
            int read = ReadFile(buffer);
            Consumed += read;
            return read;
        }

        if (buffer.IsEmpty || (_start == _end && !Fill()))
        {
            return 0;
        }

        int count = Math.Min(buffer.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        Consumed += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _buffer.Length > 0)
        {
            _file?.Dispose();
            _stream?.Dispose();
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            _start = _end = 0;
        }

        base.Dispose(disposing);
    }

    private bool Fill()
    {
        _cancellation.ThrowIfCancellationRequested();
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        Span<byte> free = _buffer.AsSpan(_end);
        if (free.IsEmpty)
        {
            return false;
        }

        int read = ReadFile(free);
        _end += read;
        return read > 0;
    }

    private int ReadFile(Span<byte> target)
    {
        int read = _file is null ? _stream!.Read(target) : RandomAccess.Read(_file, target, _filePosition);
        _filePosition += read;
        if (read > 0)
        {
            _onRead(read);
        }

        return read;
    }
}
