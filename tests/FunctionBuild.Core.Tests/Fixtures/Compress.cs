using System.IO.Compression;
using SharpCompress.Compressors.BZip2;
using SharpCompress.Compressors.ZStandard;
using SharpCompress.Compressors.ZStandard.Unsafe;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Compresses bytes as the field's tools do, in as many pieces as wanted.</summary>
internal static class Compress
{
    public static byte[] Gzip(byte[] content, int members = 1) =>
        InPieces(content, members, piece => Encode(piece, s => new GZipStream(s, CompressionLevel.Optimal, leaveOpen: true)));

    /// <summary>Zstandard frames, each with its content's checksum, as the command line tool writes them.</summary>
    public static byte[] Zstd(byte[] content, int frames = 1) => InPieces(content, frames, piece => Encode(piece, s =>
    {
        var stream = new CompressionStream(s, 3, 0, leaveOpen: true);
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return stream;
    }));

    public static byte[] Bzip2(byte[] content, int streams = 1) =>
        InPieces(content, streams, piece => Encode(piece, s => BZip2Stream.Create(s, SharpCompress.Compressors.CompressionMode.Compress, decompressConcatenated: false, leaveOpen: true)));

    /// <summary>One xz stream of several blocks.</summary>
    public static byte[] Xz(byte[] content, XzCheck check = XzCheck.Crc64, int blocks = 1) => XzWriter.Write(Pieces(content, blocks), check);

    private static byte[] InPieces(byte[] content, int count, Func<byte[], byte[]> compress) => [.. Pieces(content, count).SelectMany(compress)];

    private static IEnumerable<byte[]> Pieces(byte[] content, int count) => content.Chunk(Math.Max(1, (content.Length + count - 1) / count)).DefaultIfEmpty([]);

    private static byte[] Encode(byte[] content, Func<Stream, Stream> open)
    {
        using var target = new MemoryStream();
        using (Stream encoder = open(target))
        {
            encoder.Write(content);
        }

        return target.ToArray();
    }
}
