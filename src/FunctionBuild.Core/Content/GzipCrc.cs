using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmCrc = System.Runtime.Intrinsics.Arm.Crc32.Arm64;

namespace FunctionBuild.Core.Content;

/// <summary>
/// CRC-32 as gzip has it (RFC 1952, 8). System.IO.Hashing has one as well, but a short run would be over before that is
/// compiled for speed: until then it takes a quarter of the time of a decompression, and this one a twentieth.
/// </summary>
internal static class GzipCrc
{
    private const uint Polynomial = 0xEDB88320;

    private static readonly uint[] Table = MakeTable();

    /// <summary>The CRC-32 of what came before and of the data, from that of what came before; it begins with 0.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint state = ~crc;
        if (ArmCrc.IsSupported)
        {
            for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            {
                state = ArmCrc.ComputeCrc32(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
            }
        }
        else if (Pclmulqdq.IsSupported && data.Length >= 8 * Vector128<byte>.Count)
        {
            // A block whose CRC is that of all folded into it.
            Span<byte> folded = stackalloc byte[Vector128<byte>.Count];
            int count = Fold(state, data, folded);
            state = AppendBytes(0, folded);
            data = data[count..];
        }

        return ~AppendBytes(state, data);
    }

    private static uint AppendBytes(uint state, ReadOnlySpan<byte> data)
    {
        foreach (byte value in data)
        {
            state = Table[(byte)(state ^ value)] ^ (state >> 8);
        }

        return state;
    }

    /// <summary>
    /// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" by Gopal and others (Intel, 2009): a block
    /// is replaced by its product with a power of x, modulo the polynomial, and so moved onto a later one.
    /// </summary>
    /// <returns>How many bytes were folded.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Fold(uint state, ReadOnlySpan<byte> data, Span<byte> folded)
    {
        var overFour = Vector128.Create(0x1_5444_2BD4UL, 0x1_C6E4_1596UL);
        var overOne = Vector128.Create(0x1_7519_97D0UL, 0x0_CCAA_009EUL);

        ReadOnlySpan<Vector128<ulong>> blocks = MemoryMarshal.Cast<byte, Vector128<ulong>>(data);
        Vector128<ulong> first = blocks[0] ^ Vector128.CreateScalar((ulong)state);
        Vector128<ulong> second = blocks[1];
        Vector128<ulong> third = blocks[2];
        Vector128<ulong> fourth = blocks[3];
        int next = 4;
        for (; next <= blocks.Length - 4; next += 4)
        {
            first = Moved(first, overFour) ^ blocks[next];
            second = Moved(second, overFour) ^ blocks[next + 1];
            third = Moved(third, overFour) ^ blocks[next + 2];
            fourth = Moved(fourth, overFour) ^ blocks[next + 3];
        }

        second ^= Moved(first, overOne);
        third ^= Moved(second, overOne);
        fourth ^= Moved(third, overOne);
        for (; next < blocks.Length; next++)
        {
            fourth = Moved(fourth, overOne) ^ blocks[next];
        }

        fourth.AsByte().CopyTo(folded);
        return blocks.Length * Vector128<byte>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Moved(Vector128<ulong> block, Vector128<ulong> by) =>
        Pclmulqdq.CarrylessMultiply(block, by, 0x00) ^ Pclmulqdq.CarrylessMultiply(block, by, 0x11);

    private static uint[] MakeTable()
    {
        uint[] table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ Polynomial : value >> 1;
            }

            table[i] = value;
        }

        return table;
    }
}
