using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>
/// Bytes that can be read once, front to back, and that count how. A seek throws, as for any stream that cannot; a test
/// can limit how much a read gives, and let a read fail or do something of the test's.
/// </summary>
internal sealed class MeteredStream(byte[] content, int most = int.MaxValue) : ReadOnlyStream
{
    private int _position;

    /// <summary>How many bytes were given.</summary>
    public long BytesGiven => _position;

    /// <summary>How many reads met the end.</summary>
    public int ReadsAtEnd { get; private set; }

    /// <summary>Where reading fails with an <see cref="IOException"/>.</summary>
    public int FailAt { get; init; } = int.MaxValue;

    /// <summary>Called before each read with the position.</summary>
    public Action<int>? OnRead { get; init; }

    public override int Read(Span<byte> buffer)
    {
        OnRead?.Invoke(_position);
        if (_position >= FailAt)
        {
            throw new IOException("the disk failed");
        }

        int count = Math.Min(Math.Min(buffer.Length, most), content.Length - _position);
        content.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        ReadsAtEnd += count == 0 && !buffer.IsEmpty ? 1 : 0;
        return count;
    }
}
