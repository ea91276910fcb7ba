using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>
/// Writes the xz container (version 1.2.0 of its specification) around LZMA2 chunks that are stored, not compressed:
/// no library at hand writes xz, and what the tests are after is in the container.
/// </summary>
internal static class XzWriter
{
    private const int ChunkSize = 64 * 1024;
    private const uint Crc32Polynomial = 0xEDB88320;
    private const ulong Crc64Polynomial = 0xC96C5795D7870F42;

    public static byte[] Write(IEnumerable<byte[]> blocks, XzCheck check)
    {
        byte[] flags = [0, (byte)check];
        var stream = new List<byte>([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, .. flags, .. Crc32(flags)]);
        var records = new List<byte>();
        int count = 0;
        foreach (byte[] block in blocks)
        {
            byte[] header = [2, 0, 0x21, 1, 8, 0, 0, 0];
            byte[] body = [.. header, .. Crc32(header), .. Chunks(block)];
            byte[] sum = Check(block, check);
            stream.AddRange([.. Padded(body), .. sum]);
            records.AddRange([.. Number(body.Length + sum.Length), .. Number(block.Length)]);
            count++;
        }

        byte[] index = Padded([0, .. Number(count), .. records]);
        byte[] size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, index.Length / 4);
        byte[] footer = [.. size, .. flags];
        stream.AddRange([.. index, .. Crc32(index), .. Crc32(footer), .. footer, (byte)'Y', (byte)'Z']);
        return [.. stream];
    }

    private static IEnumerable<byte> Chunks(byte[] content)
    {
        byte control = 1;
        foreach (byte[] chunk in content.Chunk(ChunkSize))
        {
            byte[] header = [control, (byte)((chunk.Length - 1) >> 8), (byte)(chunk.Length - 1)];
            foreach (byte b in header.Concat(chunk))
            {
                yield return b;
            }

            control = 2;
        }

        yield return 0;
    }

    private static byte[] Check(byte[] content, XzCheck check) => check switch
    {
        XzCheck.None => [],
        XzCheck.Crc32 => Crc32(content),
        XzCheck.Crc64 => BitConverter.GetBytes(Crc(content, Crc64Polynomial, ulong.MaxValue)),
        XzCheck.Sha256 => SHA256.HashData(content),
        _ => throw new ArgumentOutOfRangeException(nameof(check)),
    };

    private static byte[] Crc32(byte[] content) => BitConverter.GetBytes((uint)Crc(content, Crc32Polynomial, uint.MaxValue));

    private static ulong Crc(byte[] content, ulong polynomial, ulong ones)
    {
        ulong crc = ones;
        foreach (byte b in content)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * polynomial);
            }
        }

        return crc ^ ones;
    }

    private static byte[] Padded(byte[] content) => [.. content, .. new byte[(4 - (content.Length % 4)) % 4]];

    private static IEnumerable<byte> Number(long value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            yield return (byte)(value | 0x80);
        }

        yield return (byte)value;
    }
}
