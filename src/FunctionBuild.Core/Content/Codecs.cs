using SharpCompress.Compressors;
using SharpCompress.Compressors.BZip2;
using SharpCompress.Compressors.ZStandard;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Tells compressions apart by their first bytes and opens decoders. The one place that knows what decompresses what:
/// gzip is our own, which is strict and can begin in the middle of a file; the rest is SharpCompress.
/// </summary>
internal static class Codecs
{
    /// <summary>Bytes needed to recognise every format.</summary>
    public const int SniffLength = 8;

    /// <summary>Formats that are recognised in order to be refused by name.</summary>
    private static readonly (byte[] Magic, string Name)[] Unsupported =
    [
        ([0x04, 0x22, 0x4D, 0x18], "lz4"),
        ("LZIP"u8.ToArray(), "lzip"),
        ([0x1F, 0x9D], "compress (.Z)"),
        ([0x1F, 0xA0], "compress (.Z)"),
        ([0x5D, 0x00, 0x00], "lzma"),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "7-Zip"),
        ([0x50, 0x4B, 0x03, 0x04], "zip"),
        ("Rar!"u8.ToArray(), "RAR"),
        ([0x89, 0x4C, 0x5A, 0x4F], "lzop"),
    ];

    public static Compression Sniff(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
        {
            return Compression.Gzip;
        }

        if (head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD])
            || (head.Length >= 4 && (head[0] & 0xF0) == 0x50 && head[1..].StartsWith((ReadOnlySpan<byte>)[0x2A, 0x4D, 0x18])))
        {
            return Compression.Zstd;
        }

        if (head.StartsWith((ReadOnlySpan<byte>)[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]))
        {
            return Compression.Xz;
        }

        return head.StartsWith("BZh"u8) ? Compression.Bzip2 : Compression.None;
    }

    /// <summary>The name of a compression that is known but not supported; null when the bytes are something else.</summary>
    public static string? UnsupportedName(ReadOnlySpan<byte> head)
    {
        foreach ((byte[] magic, string name) in Unsupported)
        {
            if (head.StartsWith(magic))
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>
    /// Opens a decoder; the source is read to its end and stays open. Damaged, cut or trailing data throw
    /// <see cref="DecodeException"/> from the read that meets them.
    /// </summary>
    public static Stream OpenDecoder(Compression compression, Stream source) => compression switch
    {
        Compression.Gzip => new GzipDecodeStream(source),
        Compression.Zstd => new CheckedDecodeStream(compression, source, s => new DecompressionStream(s, 0, true, true)),
        Compression.Xz => new CheckedDecodeStream(compression, source, s => new XzDecodeStream(s)),
        Compression.Bzip2 => new CheckedDecodeStream(compression, source, s => BZip2Stream.Create(s, CompressionMode.Decompress, decompressConcatenated: true, leaveOpen: true)),
        _ => throw new ArgumentOutOfRangeException(nameof(compression), compression, "There is nothing to decode."),
    };
}
