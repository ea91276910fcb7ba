using System.Buffers.Binary;
using System.IO.Hashing;

namespace FunctionBuild.Core.Content;

/// <summary>Steps over the header of a gzip member (RFC 1952, 2.3) and checks it.</summary>
internal static class GzipHeader
{
    private const int FixedLength = 10;
    private const int FlagsAt = 3;
    private const int HasHeaderCrc = 2;
    private const int HasExtra = 4;
    private const int HasName = 8;
    private const int HasComment = 16;
    private const int Reserved = 0xE0;

    /// <param name="first">Whether the file begins here. Behind a member its end, or zeros up to it, are allowed as well.</param>
    /// <param name="input">Where the header is; its next bit is the first of a byte.</param>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="DecodeException">Something else is there, or the header is damaged or cut.</exception>
    public static bool Read(DeflateInput input, bool first)
    {
        if (!first)
        {
            bool padded = false;
            while (input.Fill(1) && (byte)input.Peek() == 0)
            {
                input.Skip(8);
                padded = true;
            }

            if (!input.Fill(1))
            {
                return false;
            }

            if (padded)
            {
                throw NotGzip(first);
            }
        }

        var crc = new Crc32();
        if (TakeByte(input, crc) != 0x1F || TakeByte(input, crc) != 0x8B)
        {
            throw NotGzip(first);
        }

        if (TakeByte(input, crc) != 8)
        {
            throw DeflateInput.Damaged("a gzip header names a compression that does not exist");
        }

        int flags = TakeByte(input, crc);
        if ((flags & Reserved) != 0)
        {
            throw DeflateInput.Damaged("a gzip header has flags that do not exist");
        }

        // Time, hints and system.
        SkipBytes(input, crc, 6);
        if ((flags & HasExtra) != 0)
        {
            int length = TakeByte(input, crc);
            SkipBytes(input, crc, length | (TakeByte(input, crc) << 8));
        }

        if ((flags & HasName) != 0)
        {
            SkipText(input, crc);
        }

        if ((flags & HasComment) != 0)
        {
            SkipText(input, crc);
        }

        if ((flags & HasHeaderCrc) != 0 && input.Take(16) != (ushort)crc.GetCurrentHashAsUInt32())
        {
            throw DeflateInput.Damaged("a gzip header's CRC does not match");
        }

        return true;
    }

    /// <summary>
    /// Takes the fields that do not matter, such as the file's name and time, out of the header at the start of a file, so
    /// that files which differ only there begin alike. A header with anything to check or refuse stays as it is.
    /// </summary>
    /// <returns>How many bytes were taken out.</returns>
    public static int Simplify(Span<byte> file)
    {
        if (file.Length < FixedLength || file[..FlagsAt] is not [0x1F, 0x8B, 8] || (file[FlagsAt] & ~(HasExtra | HasName | HasComment)) != 0)
        {
            return 0;
        }

        int end = FixedLength;
        if ((file[FlagsAt] & HasExtra) != 0)
        {
            end += file.Length < end + 2 ? file.Length : 2 + BinaryPrimitives.ReadUInt16LittleEndian(file[end..]);
        }

        foreach (int text in (ReadOnlySpan<int>)[HasName, HasComment])
        {
            if ((file[FlagsAt] & text) != 0)
            {
                int length = end < file.Length ? file[end..].IndexOf((byte)0) : -1;
                end += length < 0 ? file.Length : length + 1;
            }
        }

        if (end > file.Length)
        {
            return 0;
        }

        file[FlagsAt..FixedLength].Clear();
        file[end..].CopyTo(file[FixedLength..]);
        return end - FixedLength;
    }

    private static DecodeException NotGzip(bool first) => DeflateInput.Damaged(
        first ? "the data are not gzip" : "data that are not gzip follow the end of the compressed stream");

    private static byte TakeByte(DeflateInput input, Crc32 crc)
    {
        byte value = (byte)input.Take(8);
        crc.Append([value]);
        return value;
    }

    private static void SkipBytes(DeflateInput input, Crc32 crc, int count)
    {
        for (; count > 0; count--)
        {
            TakeByte(input, crc);
        }
    }

    private static void SkipText(DeflateInput input, Crc32 crc)
    {
        while (TakeByte(input, crc) != 0)
        {
        }
    }
}
