using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Decompresses deflate (RFC 1951), as strictly as zlib does, and stops between any two blocks. The output is kept in one
/// buffer together with the last of what was given before, which the next may refer to.
/// </summary>
internal sealed class Inflater(DeflateInput input)
{
    /// <summary>How far back deflate can refer, in bytes.</summary>
    public const int WindowSize = 32 * 1024;

    /// <summary>The most output that is made before some must be taken: it stays in the processor's cache.</summary>
    private const int Room = 96 * 1024;
    private const int Capacity = WindowSize + Room;

    /// <summary>Literals and lengths, and distances.</summary>
    private const int MostCodes = 286 + 30;

    /// <summary>In bytes: 14 bits, 19 lengths of 3 bits, and each code's of up to 7 bits and 7 more; an odd bit at each end.</summary>
    private const int LongestHeader = ((14 + (19 * 3) + (MostCodes * 14)) / 8) + 2;

    private readonly uint[] _ownLiterals = new uint[HuffmanTable.LiteralSize];
    private readonly uint[] _ownDistances = new uint[HuffmanTable.DistanceSize];
    private readonly uint[] _lengthsTable = new uint[1 << HuffmanTable.LengthsBits];
    private readonly byte[] _output = GC.AllocateUninitializedArray<byte>(Capacity + InflateLoop.OutputMargin);
    private uint[] _literals = HuffmanTable.FixedLiterals;
    private uint[] _distances = HuffmanTable.FixedDistances;
    private Block _block;
    private bool _isLast;
    private int _storedLeft;

    /// <summary>The first byte that can be referred to: the stream began there, or the buffer does.</summary>
    private int _oldest;

    private enum Block
    {
        None,
        Stored,
        Compressed,
    }

    /// <summary>Where the output ends in the buffer.</summary>
    public int End { get; private set; }

    /// <summary>What has to be known of the output to go on from here.</summary>
    public ReadOnlySpan<byte> Window => Output(Math.Max(_oldest, End - WindowSize));

    private static ReadOnlySpan<byte> LengthsOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>The output from there to its end.</summary>
    public ReadOnlySpan<byte> Output(int start) => _output.AsSpan(start, End - start);

    /// <summary>A new stream begins; what came before cannot be referred to.</summary>
    /// <param name="window">What came before within the stream itself, up to <see cref="WindowSize"/>, when it begins between two blocks.</param>
    public void Start(ReadOnlySpan<byte> window = default)
    {
        if (!window.IsEmpty)
        {
            window.CopyTo(_output.AsSpan(0, WindowSize));
            End = window.Length;
        }

        _oldest = End - window.Length;
        _block = Block.None;
        _isLast = false;
    }

    /// <summary>Drops output that was taken when there is little room left; by how many bytes what remains moved down.</summary>
    public int MakeRoom()
    {
        if (End < Capacity)
        {
            return 0;
        }

        int moved = End - WindowSize;
        Output(moved).CopyTo(_output);
        End = WindowSize;
        _oldest = Math.Max(0, _oldest - moved);
        return moved;
    }

    /// <summary>Decompresses until a block ends, or as much as there is room for.</summary>
    /// <exception cref="DecodeException">The data are damaged or end too early. The output before that is good.</exception>
    public InflateStop Run()
    {
        if (_block == Block.None)
        {
            StartBlock();
        }

        if (!(_block == Block.Stored ? CopyStored() : Decode()))
        {
            return InflateStop.Limit;
        }

        _block = Block.None;
        return _isLast ? InflateStop.LastBlock : InflateStop.Block;
    }

    private void StartBlock()
    {
        uint header = input.Take(3);
        _isLast = (header & 1) != 0;
        switch (header >> 1)
        {
            case 0:
                input.SkipToByte();
                uint lengths = input.Take(32);
                if ((lengths & 0xFFFF) != (~lengths >> 16))
                {
                    throw DeflateInput.Damaged("a stored block's length is damaged");
                }

                _storedLeft = (int)(lengths & 0xFFFF);
                _block = Block.Stored;
                break;

            case 1:
                _literals = HuffmanTable.FixedLiterals;
                _distances = HuffmanTable.FixedDistances;
                _block = Block.Compressed;
                break;

            case 2:
                ReadTables();
                _literals = _ownLiterals;
                _distances = _ownDistances;
                _block = Block.Compressed;
                break;

            default:
                throw DeflateInput.Damaged("there is no such type of block");
        }
    }

    private void ReadTables()
    {
        input.Fill(LongestHeader);
        int header = (int)input.Take(14);
        int literals = (header & 31) + 257;
        int distances = ((header >> 5) & 31) + 1;
        int counted = (header >> 10) + 4;
        if (literals > 286 || distances > 30)
        {
            throw DeflateInput.Damaged("a block has too many length or distance codes");
        }

        Span<byte> lengths = stackalloc byte[MostCodes];
        ulong bits = input.Peek();
        input.Skip(counted * 3);
        foreach (byte symbol in LengthsOrder[..counted])
        {
            lengths[symbol] = (byte)(bits & 7);
            bits >>= 3;
        }

        HuffmanTable.BuildLengths(lengths[..19], _lengthsTable);
        lengths = lengths[..(literals + distances)];
        int taken = ReadLengths(input.Ahead, input.Bit & 7, _lengthsTable, lengths, out bool damaged);

        // In this order: beyond the end of the source, anything may seem to be there.
        input.Skip(taken);
        if (damaged)
        {
            throw DeflateInput.Damaged("a repeated code length is out of place");
        }

        if (lengths[256] == 0)
        {
            throw DeflateInput.Damaged("a block has no code for its end");
        }

        HuffmanTable.BuildLiterals(lengths[..literals], _ownLiterals);
        HuffmanTable.BuildDistances(lengths[literals..], _ownDistances);
    }

    /// <summary>The code lengths; how many bits they took.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int ReadLengths(ReadOnlySpan<byte> bytes, int start, uint[] table, Span<byte> lengths, out bool damaged)
    {
        damaged = false;
        int bit = start;
        for (int i = 0; i < lengths.Length;)
        {
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(bit >> 3)..]) >> (bit & 7);
            uint entry = table[bits & ((1 << HuffmanTable.LengthsBits) - 1)];
            int symbolBits = (byte)entry;
            uint symbol = entry >> 16;
            bit += symbolBits;
            if (symbol < 16)
            {
                lengths[i++] = (byte)symbol;
                continue;
            }

            int extra = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
            int times = (symbol == 18 ? 11 : 3) + (int)((bits >> symbolBits) & ((1u << extra) - 1));
            bit += extra;
            if ((symbol == 16 && i == 0) || times > lengths.Length - i)
            {
                damaged = true;
                break;
            }

            byte value = symbol == 16 ? lengths[i - 1] : (byte)0;
            for (int end = i + times; i < end; i++)
            {
                lengths[i] = value;
            }
        }

        return bit - start;
    }

    /// <summary>Whether the block ended.</summary>
    private bool CopyStored()
    {
        while (_storedLeft > 0)
        {
            if (End >= Capacity)
            {
                return false;
            }

            if (!input.Fill(1))
            {
                throw DeflateInput.Truncated();
            }

            int count = input.TakeBytes(_output.AsSpan(End, Math.Min(_storedLeft, Capacity - End)));
            End += count;
            _storedLeft -= count;
        }

        return true;
    }

    /// <inheritdoc cref="CopyStored"/>
    private bool Decode()
    {
        while (End < Capacity)
        {
            InflateStop stop = input.Fill(InflateLoop.InputMargin) ? RunLoop() : DecodeOne();
            switch (stop)
            {
                case InflateStop.Block:
                    return true;
                case InflateStop.BadCode:
                    throw DeflateInput.Damaged("the data hold an invalid code");
                case InflateStop.BadDistance:
                    throw DeflateInput.Damaged("the data refer to more than there is before them");
            }
        }

        return false;
    }

    private unsafe InflateStop RunLoop()
    {
        byte[] bytes = input.Bytes;
        int inputEnd = input.End;
        int bit = input.Bit;
        int end = End;
        int oldest = _oldest;
        uint[] literalTable = _literals;
        uint[] distanceTable = _distances;

        // All that the loop relies on; it looks at none of this again.
        if (bit < 0 || inputEnd > bytes.Length || oldest < 0 || oldest > end
            || Capacity + InflateLoop.OutputMargin > _output.Length
            || literalTable.Length < HuffmanTable.LiteralSize || distanceTable.Length < HuffmanTable.DistanceSize)
        {
            throw new UnreachableException();
        }

        InflateStop stop;
        fixed (byte* from = bytes, to = _output)
        fixed (uint* literals = literalTable, distances = distanceTable)
        {
            stop = InflateLoop.Run(from, inputEnd, ref bit, to, oldest, Capacity, ref end, literals, distances);
        }

        End = end;
        input.Skip(bit - input.Bit);
        return stop;
    }

    /// <summary>One symbol near the end of the input: it is taken only when all of its bits exist.</summary>
    private InflateStop DecodeOne()
    {
        ulong bits = input.Peek();
        int taken = 0;
        uint entry = Look(_literals, HuffmanTable.LiteralBits, ref bits, ref taken);
        if ((entry & HuffmanTable.Special) != 0)
        {
            input.Skip(taken);
            return HuffmanTable.IsEndOfBlock(entry) ? InflateStop.Block : InflateStop.BadCode;
        }

        if ((entry & HuffmanTable.Literal) != 0)
        {
            input.Skip(taken);
            _output[End++] = (byte)(entry >> 16);
            return InflateStop.Limit;
        }

        int length = Value(entry, ref bits);
        entry = Look(_distances, HuffmanTable.DistanceBits, ref bits, ref taken);
        input.Skip(taken);
        if ((entry & HuffmanTable.Special) != 0)
        {
            return InflateStop.BadCode;
        }

        int distance = Value(entry, ref bits);
        if (distance > End - _oldest)
        {
            return InflateStop.BadDistance;
        }

        for (int end = End + length; End < end; End++)
        {
            _output[End] = _output[End - distance];
        }

        return InflateStop.Limit;

        // The code is shifted out of the bits, but not what follows it.
        static uint Look(uint[] table, int mainBits, ref ulong bits, ref int taken)
        {
            uint entry = table[bits & ((1UL << mainBits) - 1)];
            if ((entry & HuffmanTable.Link) != 0)
            {
                bits >>= mainBits;
                taken += mainBits;
                entry = table[(entry >> 16) + (bits & ((1UL << (int)((entry >> 8) & 15)) - 1))];
            }

            bits >>= (int)((entry >> 8) & 15);
            taken += (byte)entry;
            return entry;
        }

        static int Value(uint entry, ref ulong bits)
        {
            int extra = (byte)entry - (int)((entry >> 8) & 15);
            int value = (int)(entry >> 16) + (int)(bits & ((1UL << extra) - 1));
            bits >>= extra;
            return value;
        }
    }
}
