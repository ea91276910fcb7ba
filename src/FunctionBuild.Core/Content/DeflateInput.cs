using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FunctionBuild.Core.Content;

/// <summary>
/// The compressed bytes as a sequence of bits, the lowest of each byte first. Bytes that were asked for but do not
/// exist read as zeros and cannot be taken.
/// </summary>
internal sealed class DeflateInput(Stream source, long offset = 0, int bitOffset = 0)
{
    /// <summary>The most that <see cref="Fill"/> can be asked for, in bytes.</summary>
    public const int MostAhead = 1024;

    /// <summary>Bytes of <see cref="Bytes"/> that exist after its content.</summary>
    public const int Slack = MostAhead;

    private const int ReadSize = 64 * 1024;
    private const int Capacity = ReadSize + MostAhead;

    private long _dropped = offset;
    private bool _ended;

    /// <summary>The content, up to <see cref="End"/>, and at least <see cref="Slack"/> more bytes.</summary>
    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(Capacity + Slack);

    /// <summary>How many bytes of <see cref="Bytes"/> are content.</summary>
    public int End { get; private set; }

    /// <summary>The next bit within <see cref="Bytes"/>; never more than all of the content.</summary>
    public int Bit { get; private set; } = bitOffset;

    /// <summary>Bytes of the file before <see cref="End"/>.</summary>
    public long Consumed => _dropped + End;

    /// <summary>The byte of the file that holds the next bit.</summary>
    public long Offset => _dropped + (Bit >> 3);

    /// <summary>The bytes from the one that holds the next bit on, and the slack.</summary>
    public ReadOnlySpan<byte> Ahead => Bytes.AsSpan(Bit >> 3, BytesLeft + Slack);

    public int BytesLeft => End - (Bit >> 3);

    public static DecodeException Truncated() => new(Compression.Gzip, truncated: true, "the compressed stream ends too early");

    public static DecodeException Damaged(string detail) => new(Compression.Gzip, truncated: false, detail);

    /// <summary>Reads until so many bytes are at hand, counting the one that holds the next bit; false when the source ends before.</summary>
    public bool Fill(int count)
    {
        Debug.Assert(count <= MostAhead);
        while (BytesLeft < count)
        {
            if (_ended)
            {
                return false;
            }

            ReadSource(count);
        }

        return true;
    }

    /// <summary>The next bits, 57 at least. What <see cref="Fill"/> did not bring is zero at the end of the source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Peek() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.AsSpan(Bit >> 3, 8)) >> (Bit & 7);

    /// <summary>Steps over bits that <see cref="Fill"/> brought.</summary>
    /// <exception cref="DecodeException">The source has fewer.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int bits)
    {
        Debug.Assert(bits >= 0);
        if (bits > (End << 3) - Bit)
        {
            throw Truncated();
        }

        Bit += bits;
    }

    /// <summary>Takes up to 32 bits.</summary>
    public uint Take(int bits)
    {
        Debug.Assert(bits is >= 0 and <= 32);
        Fill(5);
        uint value = (uint)(Peek() & ((1UL << bits) - 1));
        Skip(bits);
        return value;
    }

    public void SkipToByte() => Skip(-Bit & 7);

    /// <summary>Takes bytes, as many as there are and fit; the next bit must be the first of a byte.</summary>
    public int TakeBytes(Span<byte> target)
    {
        Debug.Assert((Bit & 7) == 0);
        int count = Math.Min(target.Length, BytesLeft);
        Bytes.AsSpan(Bit >> 3, count).CopyTo(target);
        Bit += count << 3;
        return count;
    }

    private void ReadSource(int count)
    {
        int start = Bit >> 3;
        if (start == End || start + count > Capacity)
        {
            Bytes.AsSpan(start, End - start).CopyTo(Bytes);
            _dropped += start;
            End -= start;
            Bit &= 7;
        }

        Span<byte> room = Bytes.AsSpan(End, Math.Min(ReadSize, Capacity - End));
        int read = source.Read(room);

        // The inflater's pointers rely on it.
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)read, (uint)room.Length, nameof(read));
        End += read;
        if (read == 0)
        {
            _ended = true;
            Bytes.AsSpan(End, Slack).Clear();
        }
    }
}
