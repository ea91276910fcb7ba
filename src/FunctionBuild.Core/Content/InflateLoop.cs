using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FunctionBuild.Core.Content;

/// <summary>
/// The loop over the symbols of a block in which imports spend their time, so it works on pointers. Two margins keep it
/// inside of its buffers whatever the input is, and are tested once per turn.
/// </summary>
internal static unsafe class InflateLoop
{
    /// <summary>
    /// A turn begins with so many bytes of input at hand: it refills twice, by 7 bytes at most, and loads 8 to do so. The first
    /// one begins up to 8 bytes later.
    /// </summary>
    public const int InputMargin = 32;

    /// <summary>What a turn may write from the limit on: 2 literals and a match of 258, whose copy may overshoot by 31.</summary>
    public const int OutputMargin = 320;

    /// <summary>Decodes until the block ends, the limit is reached, or too little input is left; or refuses.</summary>
    /// <param name="input">The input.</param>
    /// <param name="inputEnd">How many bytes it has.</param>
    /// <param name="bit">The next bit of it; moved on.</param>
    /// <param name="output">The output; <see cref="OutputMargin"/> bytes after the limit exist.</param>
    /// <param name="oldest">The first byte of it that can be referred to.</param>
    /// <param name="limit">The byte of it which, when written, ends the loop.</param>
    /// <param name="outputEnd">How many bytes of it are written; moved on.</param>
    /// <param name="literals">A table of <see cref="HuffmanTable.LiteralSize"/> entries.</param>
    /// <param name="distances">A table of <see cref="HuffmanTable.DistanceSize"/> entries.</param>
    /// <returns><see cref="InflateStop.Limit"/>, <see cref="InflateStop.Block"/> at its end, or why it was refused.</returns>
    // Without the attribute, a short run would be over before this method is compiled for speed, and a precompiled one
    // may use no instruction that not every processor has.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static InflateStop Run(
        byte* input, int inputEnd, ref int bit, byte* output, int oldest, int limit, ref int outputEnd, uint* literals, uint* distances)
    {
        const uint LiteralMask = (1 << HuffmanTable.LiteralBits) - 1;
        const uint DistanceMask = (1 << HuffmanTable.DistanceBits) - 1;

        byte* from = input + (bit >> 3);
        byte* lastFrom = input + inputEnd - InputMargin;
        byte* to = output + outputEnd;
        byte* lastTo = output + limit - 1;
        byte* window = output + oldest;
        if (inputEnd < InputMargin || from > lastFrom || to > lastTo)
        {
            return InflateStop.Limit;
        }

        // The low 6 bits of "left" are how many of "bits" were loaded and not taken; the others are of no meaning.
        ulong bits = 0;
        uint left = 0;
        Refill(ref from, ref bits, ref left);
        bits >>= bit & 7;
        left -= (uint)bit & 7;
        Refill(ref from, ref bits, ref left);

        InflateStop stop = InflateStop.Limit;
        uint entry = literals[bits & LiteralMask];
        do
        {
            // 56 bits or more are left, and "entry" is the first of them, not taken yet.
            if ((int)entry < 0)
            {
                Take(entry, ref bits, ref left);
                *to++ = (byte)(entry >> 16);
                entry = literals[bits & LiteralMask];
                if ((int)entry < 0)
                {
                    Take(entry, ref bits, ref left);
                    *to++ = (byte)(entry >> 16);
                    entry = literals[bits & LiteralMask];
                    if ((int)entry < 0)
                    {
                        Take(entry, ref bits, ref left);
                        *to++ = (byte)(entry >> 16);
                        entry = literals[bits & LiteralMask];
                        Refill(ref from, ref bits, ref left);
                        continue;
                    }
                }
            }

            // At most 22 bits are taken; the longest length takes 20.
            ulong taken = bits;
            Take(entry, ref bits, ref left);
            if ((entry & HuffmanTable.Special) != 0)
            {
                if ((entry & HuffmanTable.Link) == 0)
                {
                    stop = HuffmanTable.IsEndOfBlock(entry) ? InflateStop.Block : InflateStop.BadCode;
                    break;
                }

                entry = literals[Linked(entry, bits)];
                taken = bits;
                Take(entry, ref bits, ref left);
                if ((int)entry < 0)
                {
                    *to++ = (byte)(entry >> 16);
                    entry = literals[bits & LiteralMask];
                    Refill(ref from, ref bits, ref left);
                    continue;
                }

                if ((entry & HuffmanTable.Special) != 0)
                {
                    stop = HuffmanTable.IsEndOfBlock(entry) ? InflateStop.Block : InflateStop.BadCode;
                    break;
                }
            }

            uint length = Value(entry, taken);

            // 14 bits or more are left, enough to begin with; the longest distance takes 28.
            entry = distances[bits & DistanceMask];
            Refill(ref from, ref bits, ref left);
            if ((entry & HuffmanTable.Special) != 0)
            {
                Take(entry, ref bits, ref left);
                if ((entry & HuffmanTable.Link) == 0)
                {
                    stop = InflateStop.BadCode;
                    break;
                }

                entry = distances[Linked(entry, bits)];
                if ((entry & HuffmanTable.Special) != 0)
                {
                    Take(entry, ref bits, ref left);
                    stop = InflateStop.BadCode;
                    break;
                }
            }

            taken = bits;
            Take(entry, ref bits, ref left);
            uint distance = Value(entry, taken);
            if (distance > to - window)
            {
                stop = InflateStop.BadDistance;
                break;
            }

            Debug.Assert(distance >= 1 && length is >= 3 and <= 258);
            entry = literals[bits & LiteralMask];
            Refill(ref from, ref bits, ref left);
            Copy(ref to, distance, length);
            Debug.Assert(to + 31 < output + limit + OutputMargin && from <= input + inputEnd);
        }
        while (from <= lastFrom && to <= lastTo);

        bit = (int)((from - input) << 3) - (int)(left & 63);
        outputEnd = (int)(to - output);
        Debug.Assert(bit <= inputEnd << 3);
        return stop;
    }

    /// <summary>Tops the bits up to 56 or more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Refill(ref byte* from, ref ulong bits, ref uint left)
    {
        ulong more = Unsafe.ReadUnaligned<ulong>(from);
        bits |= (BitConverter.IsLittleEndian ? more : BinaryPrimitives.ReverseEndianness(more)) << (int)left;
        from += 7;
        from -= (left >> 3) & 7;
        left |= 56;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(uint entry, ref ulong bits, ref uint left)
    {
        bits >>= (int)entry;
        left -= entry;
    }

    /// <summary>The place in the second table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Linked(uint entry, ulong bits) => (entry >> 16) + ((uint)bits & ((1u << (int)((entry >> 8) & 15)) - 1));

    /// <summary>The base and the extra bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Value(uint entry, ulong taken)
    {
        ulong low = Bmi2.X64.IsSupported ? Bmi2.X64.ZeroHighBits(taken, entry) : taken & ((1UL << (int)entry) - 1);
        return (entry >> 16) + (uint)(low >> (int)(entry >> 8));
    }

    /// <summary>Repeats output. It writes in pieces, up to 31 bytes more than wanted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(ref byte* to, uint distance, uint length)
    {
        byte* target = to;
        byte* end = target + length;
        byte* source = target - distance;
        to = end;
        if (distance >= 16)
        {
            Vector128.Store(Vector128.Load(source), target);
            Vector128.Store(Vector128.Load(source + 16), target + 16);
            while (target + 32 < end)
            {
                source += 32;
                target += 32;
                Vector128.Store(Vector128.Load(source), target);
                Vector128.Store(Vector128.Load(source + 16), target + 16);
            }
        }
        else if (distance == 1)
        {
            Vector128<byte> run = Vector128.Create(*source);
            do
            {
                Vector128.Store(run, target);
                target += 16;
            }
            while (target < end);
        }
        else
        {
            // Each piece is right as far as the one before it was complete: by the distance, or all of it.
            uint step = Math.Min(distance, 8);
            do
            {
                Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<ulong>(source));
                source += step;
                target += step;
            }
            while (target < end);
        }
    }
}
