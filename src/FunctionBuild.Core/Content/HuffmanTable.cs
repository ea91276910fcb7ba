using System.Numerics;
using System.Runtime.CompilerServices;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Lookup tables for the prefix codes of deflate (RFC 1951, 3.2). The next bits index a main table; where a code is
/// longer than that, the entry found leads to a second table. An entry is a packed word:
/// <list type="bullet">
/// <item>Bits 0 to 7: bits to take from the input, those of the code and the extra bits after it.</item>
/// <item>Bits 8 to 11: the bits of the code alone; of a link, the bits that index the second table.</item>
/// <item>Bits 14 and 15: <see cref="Link"/> and <see cref="Special"/>.</item>
/// <item>Bits 16 to 30: the literal, the base of the length or distance, or where the second table starts.</item>
/// <item>Bit 31: <see cref="Literal"/>.</item>
/// </list>
/// </summary>
internal static class HuffmanTable
{
    /// <summary>The symbol is a byte of output.</summary>
    public const uint Literal = 1u << 31;

    /// <summary>The entry is neither literal, length nor distance.</summary>
    public const uint Special = 1 << 15;

    /// <summary>With <see cref="Special"/>: it leads to a second table.</summary>
    public const uint Link = 1 << 14;

    public const int LiteralBits = 11;
    public const int DistanceBits = 8;
    public const int LengthsBits = 7;

    // A second table of 2^k entries holds k + 1 codes at least. So 288 codes need no more than 288 / 5 tables of the
    // largest size, 2^4, and 32 distance codes no more than 32 / 8 of 2^7.
    public const int LiteralSize = (1 << LiteralBits) + 1024;
    public const int DistanceSize = (1 << DistanceBits) + 512;

    private const int MaxCodeLength = 15;
    private const uint EndOfBlock = Special;
    private const uint Invalid = Special | (1 << 16);
    private const uint OneBit = 0x101;

    private static readonly uint[] LiteralSymbols = MakeLiteralSymbols();
    private static readonly uint[] DistanceSymbols = MakeDistanceSymbols();
    private static readonly uint[] LengthsSymbols = [.. Enumerable.Range(0, 19).Select(symbol => (uint)symbol << 16)];

    /// <summary>The tables of blocks of type 1.</summary>
    public static uint[] FixedLiterals { get; } = MakeFixedLiterals();

    /// <inheritdoc cref="FixedLiterals"/>
    public static uint[] FixedDistances { get; } = MakeFixedDistances();

    /// <summary>Whether a special entry that is no link is the end of the block; else the code is not a valid one.</summary>
    public static bool IsEndOfBlock(uint entry) => entry >> 16 == 0;

    /// <summary>The table of literals and lengths from the codes' lengths.</summary>
    /// <exception cref="DecodeException">There is no such prefix code.</exception>
    public static void BuildLiterals(ReadOnlySpan<byte> lengths, uint[] table) =>
        Build(lengths, LiteralSymbols, table, LiteralBits, mayBeSingle: true, mayBeEmpty: false);

    /// <summary>The table of distances.</summary>
    /// <inheritdoc cref="BuildLiterals"/>
    public static void BuildDistances(ReadOnlySpan<byte> lengths, uint[] table) =>
        Build(lengths, DistanceSymbols, table, DistanceBits, mayBeSingle: true, mayBeEmpty: true);

    /// <summary>The table of the code in which the lengths of the other two are written; bits 16 and up are the symbol.</summary>
    /// <inheritdoc cref="BuildLiterals"/>
    public static void BuildLengths(ReadOnlySpan<byte> lengths, uint[] table) =>
        Build(lengths, LengthsSymbols, table, LengthsBits, mayBeSingle: false, mayBeEmpty: false);

    // Once per block. The tiers of the compiler would have it slow in a short run.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Build(ReadOnlySpan<byte> lengths, uint[] symbols, uint[] table, int mainBits, bool mayBeSingle, bool mayBeEmpty)
    {
        // Two counts in turn: neighbours are often of the same length, and each addition would wait for the one before.
        Span<ushort> counts = stackalloc ushort[16];
        Span<ushort> others = stackalloc ushort[16];
        counts.Clear();
        others.Clear();
        for (int i = 0; i + 1 < lengths.Length; i += 2)
        {
            counts[lengths[i] & 15]++;
            others[lengths[i + 1] & 15]++;
        }

        if ((lengths.Length & 1) != 0)
        {
            counts[lengths[^1] & 15]++;
        }

        for (int length = 0; length <= MaxCodeLength; length++)
        {
            counts[length] += others[length];
        }

        Span<ushort> next = stackalloc ushort[MaxCodeLength + 2];
        next[1] = 0;
        int unused = 1;
        for (int length = 1; length <= MaxCodeLength; length++)
        {
            next[length + 1] = (ushort)(next[length] + counts[length]);
            unused = (unused << 1) - counts[length];
            if (unused < 0)
            {
                throw DeflateInput.Damaged("a Huffman code has too many codewords");
            }
        }

        int used = lengths.Length - counts[0];
        if (unused > 0)
        {
            // What zlib accepts: a single code of one bit, and no distance at all where none is used.
            if (!(used == 1 && counts[1] == 1 && mayBeSingle) && !(used == 0 && mayBeEmpty))
            {
                throw DeflateInput.Damaged("a Huffman code is incomplete");
            }

            Span<uint> main = table.AsSpan(0, 1 << mainBits);
            main.Fill(Invalid + OneBit);
            for (int i = 0; used == 1 && i < main.Length; i += 2)
            {
                main[i] = symbols[lengths.IndexOf((byte)1)] + OneBit;
            }

            return;
        }

        // Symbols without a code go behind the others: sorting them costs less than a branch that cannot be foreseen.
        Span<ushort> sorted = stackalloc ushort[lengths.Length];
        next[0] = (ushort)used;
        for (int symbol = 0; symbol < lengths.Length; symbol++)
        {
            sorted[next[lengths[symbol]]++] = (ushort)symbol;
        }

        Fill(sorted, counts, symbols, table, mainBits);
    }

    /// <summary>
    /// The codewords in their canonical order. Codes are read from their highest bit on while the input gives the lowest
    /// first, so codewords are kept, and counted up, in reverse.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fill(ReadOnlySpan<ushort> sorted, ReadOnlySpan<ushort> counts, uint[] symbols, uint[] table, int mainBits)
    {
        int index = 0;
        uint code = 0;
        for (int length = 1; length <= mainBits; length++)
        {
            // What the table says for shorter codes holds for both values of one more bit.
            int half = 1 << (length - 1);
            if (index > 0)
            {
                table.AsSpan(0, half).CopyTo(table.AsSpan(half));
            }

            for (int i = counts[length]; i > 0; i--)
            {
                table[code] = symbols[sorted[index++]] + ((uint)length * OneBit);
                code = After(code, length);
            }
        }

        uint mask = (1u << mainBits) - 1;
        uint prefix = uint.MaxValue;
        int start = 0;
        int bits = 0;
        int end = 1 << mainBits;
        for (int length = mainBits + 1; length <= MaxCodeLength; length++)
        {
            for (int i = counts[length]; i > 0; i--)
            {
                if ((code & mask) != prefix)
                {
                    prefix = code & mask;
                    start = end;
                    bits = length - mainBits;
                    for (int room = (1 << bits) - i; room > 0; room = (room << 1) - counts[mainBits + bits])
                    {
                        bits++;
                    }

                    end += 1 << bits;
                    table[prefix] = ((uint)start << 16) | Special | Link | ((uint)bits << 8) | (uint)mainBits;
                }

                uint entry = symbols[sorted[index++]] + ((uint)(length - mainBits) * OneBit);
                for (int at = (int)(code >> mainBits); at < 1 << bits; at += 1 << (length - mainBits))
                {
                    table[start + at] = entry;
                }

                code = After(code, length);
            }
        }
    }

    /// <summary>The next codeword of that length, in reverse; the last one has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint After(uint code, int length)
    {
        uint highestZero = 1u << BitOperations.Log2(code ^ ((1u << length) - 1));
        return (code & (highestZero - 1)) | highestZero;
    }

    private static uint[] MakeLiteralSymbols()
    {
        uint[] symbols = new uint[288];
        Array.Fill(symbols, Invalid);
        for (uint literal = 0; literal < 256; literal++)
        {
            symbols[literal] = Literal | (literal << 16);
        }

        symbols[256] = EndOfBlock;
        uint length = 3;
        for (uint i = 0; i < 28; i++)
        {
            uint extra = i < 4 ? 0 : (i / 4) - 1;
            symbols[257 + i] = (length << 16) | extra;
            length += 1u << (int)extra;
        }

        symbols[285] = 258 << 16;
        return symbols;
    }

    private static uint[] MakeDistanceSymbols()
    {
        uint[] symbols = new uint[32];
        Array.Fill(symbols, Invalid);
        uint distance = 1;
        for (uint i = 0; i < 30; i++)
        {
            uint extra = i < 2 ? 0 : (i / 2) - 1;
            symbols[i] = (distance << 16) | extra;
            distance += 1u << (int)extra;
        }

        return symbols;
    }

    private static uint[] MakeFixedLiterals()
    {
        Span<byte> lengths = stackalloc byte[288];
        lengths[..144].Fill(8);
        lengths[144..256].Fill(9);
        lengths[256..280].Fill(7);
        lengths[280..].Fill(8);
        uint[] table = new uint[LiteralSize];
        BuildLiterals(lengths, table);
        return table;
    }

    private static uint[] MakeFixedDistances()
    {
        Span<byte> lengths = stackalloc byte[32];
        lengths.Fill(5);
        uint[] table = new uint[DistanceSize];
        BuildDistances(lengths, table);
        return table;
    }
}
