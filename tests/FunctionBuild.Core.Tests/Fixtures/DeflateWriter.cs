using System.Buffers.Binary;
using System.IO.Hashing;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Writes deflate bit by bit, right or wrong, and keeps the content that it stands for.</summary>
internal sealed class DeflateWriter
{
    private static readonly int[] LengthsOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    private static readonly int[] FixedLiterals =
        [.. Enumerable.Repeat(8, 144), .. Enumerable.Repeat(9, 112), .. Enumerable.Repeat(7, 24), .. Enumerable.Repeat(8, 8)];

    private static readonly int[] FixedDistances = [.. Enumerable.Repeat(5, 32)];

    private readonly List<byte> _bytes = [];
    private readonly List<byte> _content = [];
    private int _bits;
    private int[] _literals = [];
    private int[] _distances = [];
    private uint[] _literalCodes = [];
    private uint[] _distanceCodes = [];

    /// <summary>How many bits are written.</summary>
    public int BitCount => _bits;

    public byte[] Content => [.. _content];

    /// <summary>The length of the content.</summary>
    public int Length => _content.Count;

    /// <summary>A gzip member with it.</summary>
    public byte[] ToGzip(byte[]? header = null)
    {
        byte[] trailer = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32.HashToUInt32(Content));
        BinaryPrimitives.WriteInt32LittleEndian(trailer.AsSpan(4), _content.Count);
        return [.. header ?? [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], .. _bytes, .. trailer];
    }

    /// <summary>The lowest bits of a number, the lowest first.</summary>
    public DeflateWriter Bits(uint value, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if ((_bits++ & 7) == 0)
            {
                _bytes.Add(0);
            }

            _bytes[^1] |= (byte)(((value >> i) & 1) << ((_bits - 1) & 7));
        }

        return this;
    }

    public DeflateWriter Stored(byte[] data, bool last = false)
    {
        Bits(last ? 1u : 0, 3).Bits(0, -_bits & 7).Bits((uint)data.Length, 16).Bits(~(uint)data.Length, 16);
        _bytes.AddRange(data);
        _bits += data.Length << 3;
        _content.AddRange(data);
        return this;
    }

    /// <summary>Begins a block with the fixed codes.</summary>
    public DeflateWriter Fixed(bool last = false) => Bits(last ? 3u : 2, 3).Use(FixedLiterals, FixedDistances);

    /// <summary>Begins a block with codes of these lengths, each written as a number of 4 bits.</summary>
    public DeflateWriter Dynamic(int[] literals, int[] distances, bool last = false)
    {
        DynamicHeader(literals.Length, distances.Length, symbol => symbol < 16 ? 4 : 0, last);
        foreach (int length in literals.Concat(distances))
        {
            Code((uint)length, 4);
        }

        return Use(literals, distances);
    }

    /// <summary>Begins a block with codes whose lengths are yet to be written.</summary>
    public DeflateWriter DynamicHeader(int literals, int distances, Func<int, int> lengthOf, bool last = false)
    {
        Bits(last ? 5u : 4, 3).Bits((uint)literals - 257, 5).Bits((uint)distances - 1, 5).Bits(15, 4);
        foreach (int symbol in LengthsOrder)
        {
            Bits((uint)lengthOf(symbol), 3);
        }

        return this;
    }

    public DeflateWriter Literals(params IEnumerable<byte> values)
    {
        foreach (byte value in values)
        {
            LiteralCode(value);
            _content.Add(value);
        }

        return this;
    }

    public DeflateWriter Match(int length, int distance)
    {
        (int symbol, int extra, int bits) = length == 258 ? (285, 0, 0) : Split(length - 3, 4);
        LiteralCode(length == 258 ? symbol : 257 + symbol).Bits((uint)extra, bits);
        (symbol, extra, bits) = Split(distance - 1, 2);
        DistanceCode(symbol).Bits((uint)extra, bits);
        for (int i = 0; i < length && distance <= _content.Count; i++)
        {
            _content.Add(_content[^distance]);
        }

        return this;
    }

    public DeflateWriter End() => LiteralCode(256);

    public DeflateWriter LiteralCode(int symbol) => Code(_literalCodes[symbol], _literals[symbol]);

    public DeflateWriter DistanceCode(int symbol) => Code(_distanceCodes[symbol], _distances[symbol]);

    /// <summary>A Huffman code: the highest bit first.</summary>
    public DeflateWriter Code(uint code, int length)
    {
        for (int i = length - 1; i >= 0; i--)
        {
            Bits(code >> i, 1);
        }

        return this;
    }

    /// <summary>The symbol for a length or distance, counted from the smallest, where so many symbols share a number of extra bits.</summary>
    private static (int Symbol, int Extra, int Bits) Split(int value, int share)
    {
        int bits = 0;
        while (value >> bits >= 2 * share)
        {
            bits++;
        }

        return ((bits * share) + (value >> bits), value & ((1 << bits) - 1), bits);
    }

    private static uint[] Codes(int[] lengths)
    {
        uint[] codes = new uint[lengths.Length];
        uint next = 0;
        for (int length = 1; length <= 15; length++, next <<= 1)
        {
            for (int symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] == length)
                {
                    codes[symbol] = next++;
                }
            }
        }

        return codes;
    }

    private DeflateWriter Use(int[] literals, int[] distances)
    {
        (_literals, _distances) = (literals, distances);
        (_literalCodes, _distanceCodes) = (Codes(literals), Codes(distances));
        return this;
    }
}
