using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Every way in which the tests compress, by a name that a test's title can show.</summary>
internal static class Codec
{
    /// <summary>Names for <see cref="Encode"/>.</summary>
    public static TheoryData<string> Names { get; } =
    [
        "gzip", "gzip, 3 members", "gzip, zero padding",
        "zstd", "zstd, 3 frames", "zstd, skippable frames",
        "xz, no check", "xz, CRC-32", "xz, CRC-64", "xz, SHA-256", "xz, 3 blocks", "xz, 2 streams and padding",
        "bzip2", "bzip2, 3 streams",
    ];

    public static byte[] Encode(string name, byte[] content) => name switch
    {
        "gzip" => Compress.Gzip(content),
        "gzip, 3 members" => Compress.Gzip(content, 3),
        "gzip, zero padding" => [.. Compress.Gzip(content), .. new byte[700]],
        "zstd" => Compress.Zstd(content),
        "zstd, 3 frames" => Compress.Zstd(content, 3),
        "zstd, skippable frames" => [.. SkippableFrame(0), .. Compress.Zstd(content), .. SkippableFrame(15)],
        "xz, no check" => Compress.Xz(content, XzCheck.None),
        "xz, CRC-32" => Compress.Xz(content, XzCheck.Crc32),
        "xz, CRC-64" => Compress.Xz(content),
        "xz, SHA-256" => Compress.Xz(content, XzCheck.Sha256),
        "xz, 3 blocks" => Compress.Xz(content, blocks: 3),
        "xz, 2 streams and padding" => [.. Compress.Xz(content[..100]), 0, 0, 0, 0, .. Compress.Xz(content[100..]), .. new byte[8]],
        "bzip2" => Compress.Bzip2(content),
        "bzip2, 3 streams" => Compress.Bzip2(content, 3),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such codec."),
    };

    /// <summary>Decompresses as an import does.</summary>
    /// <exception cref="DecodeException">The bytes are cut or damaged.</exception>
    public static byte[] Decode(byte[] compressed)
    {
        using Stream decoder = Codecs.OpenDecoder(Codecs.Sniff(compressed), new MemoryStream(compressed));
        using var content = new MemoryStream();
        decoder.CopyTo(content);
        return content.ToArray();
    }

    private static byte[] SkippableFrame(int kind) => [(byte)(0x50 + kind), 0x2A, 0x4D, 0x18, 5, 0, 0, 0, .. "spare"u8];
}
