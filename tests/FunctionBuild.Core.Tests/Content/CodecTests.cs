using System.IO.Compression;
using System.Text;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Content;

public sealed class CodecTests
{
    // Text as well as noise, so that the encoders make all their kinds of symbols.
    private static readonly byte[] Content =
        [.. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("the same words again; ", 9))), .. FixtureImage.Noise("codec", 120)];

    public static TheoryData<string> Names => Codec.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Content_comes_back(string codec) => Assert.Equal(Content, Codec.Decode(Codec.Encode(codec, Content)));

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("xz, no check")]
    [InlineData("xz, CRC-32")]
    [InlineData("xz, CRC-64")]
    [InlineData("xz, SHA-256")]
    [InlineData("xz, 3 blocks")]
    [InlineData("bzip2")]
    public void A_stream_cut_anywhere_is_an_error(string codec)
    {
        byte[] whole = Codec.Encode(codec, Content);
        var problems = new List<string>();

        for (int length = 8; length < whole.Length; length++)
        {
            Probe(problems, $"cut after {length} of {whole.Length}", whole[..length], null);
        }

        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("gzip, 3 members")]
    [InlineData("zstd")]
    [InlineData("zstd, 3 frames")]
    [InlineData("xz, CRC-32")]
    [InlineData("xz, CRC-64")]
    [InlineData("xz, SHA-256")]
    [InlineData("xz, 3 blocks")]
    [InlineData("xz, 2 streams and padding")]
    [InlineData("bzip2")]
    [InlineData("bzip2, 3 streams")]
    public void A_damaged_byte_is_an_error_or_changes_nothing(string codec)
    {
        byte[] whole = Codec.Encode(codec, Content);
        var problems = new List<string>();

        for (int position = 8; position < whole.Length; position++)
        {
            byte[] damaged = [.. whole];
            damaged[position] ^= (byte)(1 << (position % 8));
            Probe(problems, $"byte {position} of {whole.Length}", damaged, Content);
        }

        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("xz, CRC-64")]
    [InlineData("bzip2")]
    public void Data_after_the_end_is_an_error(string codec)
    {
        foreach (int zeros in new[] { 0, 1, 4, 9000 })
        {
            byte[] longer = [.. Codec.Encode(codec, Content), .. new byte[zeros], .. "more"u8];

            Assert.False(Assert.Throws<DecodeException>(() => Codec.Decode(longer)).Truncated);
        }
    }

    [Fact]
    public void Zeros_after_gzip_are_padding()
    {
        foreach (int zeros in new[] { 1, 7, 511, 20_000, 300_000 })
        {
            Assert.Equal(Content, Codec.Decode([.. Compress.Gzip(Content, 2), .. new byte[zeros]]));
        }
    }

    [Fact]
    public void Gzip_data_may_be_full_of_zeros()
    {
        // Stored deflate blocks put the zeros into the compressed stream as they are, across every block border.
        byte[] zeros = new byte[100_000];
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.NoCompression, leaveOpen: true))
        {
            gzip.Write(zeros);
        }

        Assert.Equal(zeros, Codec.Decode(target.ToArray()));
        Assert.True(Assert.Throws<DecodeException>(() => Codec.Decode(target.ToArray()[..50_000])).Truncated);
    }

    [Fact]
    public void An_empty_gzip_member_is_no_content()
    {
        // What "gzip < /dev/null" writes; the runtime's encoder writes nothing at all for nothing.
        byte[] empty = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

        Assert.Empty(Codec.Decode(empty));
        Assert.Equal(Content, Codec.Decode([.. empty, .. Compress.Gzip(Content), .. empty]));
    }

    [Fact]
    public void Xz_that_would_take_absurd_memory_is_refused()
    {
        // Byte 16 is the dictionary size in the first block's header; its checksum follows at 20.
        byte[] greedy = Compress.Xz(Content);
        greedy[16] = 40;
        BitConverter.GetBytes(SharpCompress.Compressors.Xz.Crc32.Compute(greedy[12..20])).CopyTo(greedy, 20);

        Assert.Contains("128 MiB", Assert.Throws<DecodeException>(() => Codec.Decode(greedy)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_source_that_gives_one_byte_at_a_time_changes_nothing(string codec)
    {
        byte[] compressed = Codec.Encode(codec, Content);
        using Stream decoder = Codecs.OpenDecoder(Codecs.Sniff(compressed), new MeteredStream(compressed, most: 1));
        using var content = new MemoryStream();

        decoder.CopyTo(content, 7);

        Assert.Equal(Content, content.ToArray());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_failure_of_the_source_is_not_the_decoders(string codec)
    {
        byte[] compressed = Codec.Encode(codec, Content);
        using Stream decoder = Codecs.OpenDecoder(Codecs.Sniff(compressed), new MeteredStream(compressed, most: 50) { FailAt = compressed.Length / 2 });

        Assert.Equal("the disk failed", Assert.Throws<IOException>(() => decoder.CopyTo(Stream.Null)).Message);
    }

    [Theory]
    [InlineData("04224D18", "lz4")]
    [InlineData("4C5A4950", "lzip")]
    [InlineData("1F9D90", "compress (.Z)")]
    [InlineData("504B0304", "zip")]
    [InlineData("377ABCAF271C", "7-Zip")]
    [InlineData("5D00008000", "lzma")]
    public void A_compression_that_is_not_supported_has_a_name(string hex, string name)
    {
        byte[] head = Convert.FromHexString(hex);

        Assert.Equal(Compression.None, Codecs.Sniff(head));
        Assert.Equal(name, Codecs.UnsupportedName(head));
    }

    [Fact]
    public void Bytes_too_few_to_tell_are_no_compression()
    {
        Assert.Equal(Compression.None, Codecs.Sniff([]));
        Assert.Equal(Compression.None, Codecs.Sniff([0x1F]));
        Assert.Equal(Compression.None, Codecs.Sniff([0x50, 0x2A, 0x4D]));
        Assert.Null(Codecs.UnsupportedName([]));
    }

    private static void Probe(List<string> problems, string what, byte[] compressed, byte[]? allowed)
    {
        try
        {
            byte[] content = Codec.Decode(compressed);
            if (allowed is null || !content.SequenceEqual(allowed))
            {
                problems.Add($"{what}: {content.Length} bytes were accepted");
            }
        }
        catch (DecodeException)
        {
        }
        catch (Exception e)
        {
            problems.Add($"{what}: {e.GetType().Name}: {e.Message}");
        }
    }
}
