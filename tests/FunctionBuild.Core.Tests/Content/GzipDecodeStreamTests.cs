using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Content;

public sealed class GzipDecodeStreamTests
{
    private const int Extra = 4;
    private const int Name = 8;
    private const int Comment = 16;
    private const int HeaderCrc = 2;

    /// <summary>A file of two members whose headers have all there can be, and blocks of all types; about 600 bytes.</summary>
    private static readonly byte[] SmallFirst = SmallMember(3).ToGzip(Header(Extra | Name | Comment | HeaderCrc));
    private static readonly byte[] SmallSecond = SmallMember(4).ToGzip();
    private static readonly byte[] SmallFile = [.. SmallFirst, .. SmallSecond];
    private static readonly byte[] SmallContent = [.. SmallMember(3).Content, .. SmallMember(4).Content];

    /// <summary>How much a read of the source gives, and how much is asked of the decoder.</summary>
    private static readonly (int Source, int Target)[] Pieces =
        [(int.MaxValue, 81920), (1, 4096), (7, 13), (61, 1), (1000, 1_000_000), (65536, 257), (65537, 65536)];

    [Theory]
    [InlineData("text", 300_000)]
    [InlineData("binary", 300_000)]
    [InlineData("noise", 200_000)]
    [InlineData("runs", 300_000)]
    [InlineData("zeros", 3_000_000)]
    [InlineData("text", 1)]
    [InlineData("text", 40)]
    public void Content_comes_back_from_what_dotnet_compressed(string kind, int length)
    {
        byte[] content = Sample(kind, length);
        foreach (CompressionLevel level in Enum.GetValues<CompressionLevel>())
        {
            byte[] compressed = [.. Gzip(content, level), .. Gzip(content[..(length / 2)], level)];
            foreach ((int source, int target) in Pieces)
            {
                // Odd pieces of megabytes take long and show nothing new.
                if (length > 1_000_000 && target < 100)
                {
                    continue;
                }

                AssertSame([.. content, .. content[..(length / 2)]], Decode(compressed, source, target), $"{level}, {source}, {target}");
            }
        }
    }

    [Fact]
    public void Blocks_of_every_type_begin_at_every_bit()
    {
        for (int kind = 0; kind < 4; kind++)
        {
            for (int literals = 0; literals < 8; literals++)
            {
                // Literals from 144 on have 9 bits.
                var writer = new DeflateWriter();
                writer.Fixed().Literals(Enumerable.Repeat((byte)200, literals)).End();
                int offset = writer.BitCount & 7;
                DeflateBlocks.Append(writer, new Random(literals), kind, 300, last: true);

                Assert.Equal((2 + literals) & 7, offset);
                AssertSame(writer.Content, Decode(writer.ToGzip()), $"type {kind} at bit {offset}");
            }
        }
    }

    [Fact]
    public void Random_blocks_come_back()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            DeflateWriter writer = DeflateBlocks.Random(seed, blocks: 1 + (seed % 17));
            byte[] compressed = writer.ToGzip();

            (int source, int target) = Pieces[seed % Pieces.Length];
            AssertSame(writer.Content, Decode(compressed, source, target), $"seed {seed}");
            AssertSame(writer.Content, DotNet(compressed).Output, $"seed {seed}, .NET");
        }
    }

    [Fact]
    public void The_longest_match_from_the_farthest_place_comes_back()
    {
        byte[] noise = FixtureImage.Noise("window", 32768);
        var writer = new DeflateWriter();
        writer.Stored(noise).Fixed();
        for (int i = 0; i < 2000; i++)
        {
            writer.Match(258, 32768);
        }

        writer.End().Fixed(last: true).Match(258, 32768).End();

        AssertSame(writer.Content, Decode(writer.ToGzip()), "32768");
        Assert.Equal(noise[..258], writer.Content[32768..33026]);
    }

    [Fact]
    public void A_block_may_be_all_runs()
    {
        // 40 MB out of 45 KB, in a single block: the output of a block is not bounded.
        var writer = new DeflateWriter();
        writer.Dynamic(Lengths(286, (7, 2), (256, 2), (285, 1)), Lengths(1, (0, 1)), last: true).Literals(7);
        for (int i = 0; i < 155_000; i++)
        {
            writer.LiteralCode(285).DistanceCode(0);
        }

        byte[] compressed = writer.End().ToGzip();
        using var decoder = new GzipDecodeStream(new MemoryStream(compressed), findPoints: true);
        byte[] buffer = new byte[100_000];
        long length = 0;
        DecodeException? end = null;
        while (end is null)
        {
            try
            {
                int read = decoder.Read(buffer);
                Assert.NotEqual(0, read);
                Assert.False(buffer.AsSpan(0, read).ContainsAnyExcept((byte)7));
                length += read;
                Assert.Equal(0, decoder.PointBefore(length)?.OutputOffset);
            }
            catch (DecodeException e)
            {
                end = e;
            }
        }

        // The writer did not follow, so the trailer it wrote is that of one byte.
        Assert.Equal(1 + (155_000L * 258), length);
        Assert.Equal("the content's CRC-32 does not match", end.Message);
    }

    [Fact]
    public void Every_cut_is_told_and_all_before_it_is_given()
    {
        foreach ((int source, int target) in Pieces[..3])
        {
            for (int length = 0; length < SmallFile.Length; length++)
            {
                (byte[] output, Exception? error) = TryDecode(SmallFile[..length], source, target);

                Assert.True(SmallContent.AsSpan().StartsWith(output), $"cut at {length}");
                if (length == SmallFirst.Length)
                {
                    Assert.Null(error);
                    Assert.Equal(SmallMember(3).Content, output);
                }
                else
                {
                    Assert.True(error is DecodeException { Truncated: true }, $"cut at {length}: {error?.Message}");
                }
            }
        }
    }

    [Fact]
    public void Every_bit_that_flips_is_told_or_changes_nothing()
    {
        int accepted = 0;
        for (int bit = 0; bit < SmallFile.Length * 8; bit++)
        {
            byte[] damaged = [.. SmallFile];
            damaged[bit >> 3] ^= (byte)(1 << (bit & 7));

            (byte[] output, Exception? error) = TryDecode(damaged, int.MaxValue, 81920);

            Assert.True(error is DecodeException || (error is null && output.SequenceEqual(SmallContent)), $"bit {bit}: {error}");
            if (error is null)
            {
                accepted++;
                Assert.Null(DotNet(damaged).Error);
            }
        }

        // The second header's time, hints and system mean nothing; nor do its "text" flag, and padding in front of stored blocks and trailers.
        Assert.InRange(accepted, 6 * 8, (6 * 8) + 40);
    }

    [Fact]
    public void Damaged_and_random_data_give_what_zlib_gives()
    {
        int refused = 0;
        for (int seed = 0; seed < 800; seed++)
        {
            var random = new Random(seed);
            byte[] data = DeflateBlocks.Random(seed % 40, blocks: 4, symbols: 150).ToGzip();
            if (seed % 5 == 0)
            {
                random.NextBytes(data.AsSpan(10));
                data[10] = (byte)((data[10] & ~7) | (4 * (seed % 2)) | (2 * ((seed % 2) ^ 1)));
            }
            else
            {
                for (int i = random.Next(3); i >= 0; i--)
                {
                    data[random.Next(10, data.Length)] ^= (byte)(1 << random.Next(8));
                }
            }

            (byte[] ours, Exception? error) = TryDecode(data, Pieces[seed % Pieces.Length].Source, 5000);
            (byte[] theirs, Exception? theirError) = DotNet(data);

            // Neither gives all that comes before the damage.
            int common = Math.Min(ours.Length, theirs.Length);
            Assert.True(ours.AsSpan(0, common).SequenceEqual(theirs.AsSpan(0, common)), $"seed {seed}");
            Assert.True(error is null or DecodeException, $"seed {seed}: {error}");
            Assert.True(theirError is null || error is not null, $"seed {seed}: only zlib refuses");
            refused += error is null ? 0 : 1;
        }

        Assert.InRange(refused, 740, 800);
    }

    public static TheoryData<string> BadBlocks => [.. Bad.Keys];

    [Theory]
    [MemberData(nameof(BadBlocks))]
    public void What_deflate_does_not_allow_is_refused(string what)
    {
        // Once near the end of the input, once in the midst of it; and behind a member, to whose content nothing may refer.
        byte[] bad = Bad[what](new DeflateWriter()).Bits(0, 7).ToGzip();
        byte[] within = Bad[what](new DeflateWriter()).Bits(0, 7).Stored(new byte[500]).ToGzip();
        foreach (byte[] data in new[] { bad, within, [.. SmallFirst, .. bad], [.. SmallFirst, .. within] })
        {
            Exception? error = TryDecode(data, int.MaxValue, 81920).Error;
            Assert.True(error is DecodeException { Truncated: false }, $"{error}");
            Assert.DoesNotContain("CRC", error.Message, StringComparison.Ordinal);
            Assert.IsType<InvalidDataException>(DotNet(data).Error);
        }
    }

    [Fact]
    public void Codes_that_zlib_takes_although_incomplete_are_taken()
    {
        // No distance; one distance; no symbol but the end.
        byte[] content = [.. Enumerable.Repeat((byte)7, 300)];
        var writer = new DeflateWriter();
        writer.Dynamic(Lengths(257, (7, 1), (256, 1)), [0]).Literals(content).End();
        writer.Dynamic(Lengths(258, (7, 1), (256, 2), (257, 2)), [1]).Literals(content).Match(3, 1).Match(3, 1).End();
        writer.Dynamic(Lengths(257, (256, 1)), [0]).End();
        writer.Fixed(last: true).End();

        AssertSame(writer.Content, Decode(writer.ToGzip()), "incomplete");
        AssertSame(writer.Content, DotNet(writer.ToGzip()).Output, "incomplete, .NET");
    }

    [Theory]
    [InlineData(0, 0x00, "the data are not gzip")]
    [InlineData(1, 0x8C, "the data are not gzip")]
    [InlineData(2, 7, "a gzip header names a compression that does not exist")]
    [InlineData(3, 0x20, "a gzip header has flags that do not exist")]
    [InlineData(3, 0x80, "a gzip header has flags that do not exist")]
    public void A_header_that_is_not_right_is_refused(int position, byte value, string message)
    {
        byte[] damaged = [.. SmallSecond];
        damaged[position] = value;

        Assert.Equal(message, Assert.Throws<DecodeException>(() => Decode(damaged)).Message);
        if (position > 0)
        {
            string behind = position == 1 ? "data that are not gzip follow the end of the compressed stream" : message;
            Assert.Equal(behind, Assert.Throws<DecodeException>(() => Decode([.. SmallFirst, .. damaged])).Message);
        }
    }

    [Fact]
    public void The_fields_of_a_header_are_stepped_over()
    {
        for (int flags = 0; flags < 32; flags++)
        {
            byte[] header = Header(flags);
            byte[] member = SmallMember(3).ToGzip(header);
            AssertSame(SmallMember(3).Content, Decode(member), $"flags {flags}");
            if ((flags & HeaderCrc) != 0)
            {
                member[header.Length - 1] ^= 1;
                Assert.Equal("a gzip header's CRC does not match", Assert.Throws<DecodeException>(() => Decode(member)).Message);
            }
        }
    }

    [Fact]
    public void Crc_and_length_are_those_of_the_content()
    {
        for (int back = 1; back <= 8; back++)
        {
            byte[] damaged = [.. SmallFile];
            damaged[^back] ^= 0x10;

            string message = Assert.Throws<DecodeException>(() => Decode(damaged)).Message;
            Assert.Equal(back <= 4 ? "the content's length does not match" : "the content's CRC-32 does not match", message);
        }
    }

    [Fact]
    public void Another_member_behind_padding_is_refused() =>
        Assert.Equal(
            "data that are not gzip follow the end of the compressed stream",
            Assert.Throws<DecodeException>(() => Decode([.. SmallFirst, 0, .. SmallSecond])).Message);

    [Fact]
    public void Many_empty_members_are_no_content()
    {
        byte[] empty = new DeflateWriter().Fixed(last: true).End().ToGzip();

        Assert.Empty(Decode([.. Enumerable.Repeat(empty, 20_000).SelectMany(bytes => bytes)]));
    }

    [Fact]
    public void Every_point_gives_the_same_rest()
    {
        (byte[] content, byte[] file) = LargeFile();
        foreach (int step in new[] { 1000, 81920, 700_001 })
        {
            List<GzipResumePoint> points = FindPoints(new GzipDecodeStream(new MemoryStream(file), findPoints: true), content, 0, step);

            Assert.InRange(points.Count, 3, content.Length / (256 * 1024));
            Assert.Contains(points, point => point.BitOffset != 0);
            Assert.Contains(points, point => point.OutputOffset != point.MemberLength && point.MemberLength > 0);
            foreach (GzipResumePoint point in points)
            {
                AssertSame(content[(int)point.OutputOffset..], Resume(file, point), $"from {point.OutputOffset}");
            }
        }
    }

    [Fact]
    public void A_decoder_that_began_at_a_point_finds_points()
    {
        (byte[] content, byte[] file) = LargeFile();
        GzipResumePoint first = FindPoints(new GzipDecodeStream(new MemoryStream(file), findPoints: true), content, 0, 81920)[1];

        GzipDecodeStream resumed = new(From(file, first), first, findPoints: true);
        Assert.Same(first, resumed.PointBefore(first.OutputOffset));
        Assert.Null(resumed.PointBefore(first.OutputOffset - 1));
        List<GzipResumePoint> points = FindPoints(resumed, content, (int)first.OutputOffset, 81920);

        Assert.InRange(points.Count, 3, content.Length / (256 * 1024));
        Assert.All(points, point => AssertSame(content[(int)point.OutputOffset..], Resume(file, point), $"from {point.OutputOffset}"));
        AssertSame(content[(int)first.OutputOffset..], Resume(file, first), "the first again");
    }

    [Fact]
    public void Damage_behind_a_point_is_told()
    {
        (byte[] content, byte[] file) = LargeFile();
        GzipResumePoint point = FindPoints(new GzipDecodeStream(new MemoryStream(file), findPoints: true), content, 0, 81920)[1];
        byte[] damaged = [.. file];
        damaged[(int)point.SourceOffset + 5000] ^= 8;
        byte[] wrongCrc = [.. file];
        wrongCrc[^5] ^= 1;

        Assert.Throws<DecodeException>(() => Resume(damaged, point));
        Assert.Equal("the content's CRC-32 does not match", Assert.Throws<DecodeException>(() => Resume(wrongCrc, point)).Message);
        Assert.True(Assert.Throws<DecodeException>(() => Resume(file[..^1], point)).Truncated);
        Assert.True(Assert.Throws<DecodeException>(() => Resume(file[..(int)point.SourceOffset], point)).Truncated);
    }

    [Fact]
    public void What_was_taken_of_the_source_is_counted_from_the_start_of_the_file()
    {
        (byte[] content, byte[] file) = LargeFile();
        using var decoder = new GzipDecodeStream(new MemoryStream(file), findPoints: true);
        Assert.Equal(0, decoder.Consumed);
        GzipResumePoint point = FindPoints(decoder, content, 0, 81920)[^1];
        Assert.Equal(file.Length, decoder.Consumed);

        var source = new MeteredStream(file[(int)point.SourceOffset..], most: 100);
        using var resumed = new GzipDecodeStream(source, point);
        Assert.Equal(point.SourceOffset, resumed.Consumed);
        resumed.ReadExactly(new byte[10]);
        Assert.Equal(point.SourceOffset + source.BytesGiven, resumed.Consumed);
        Assert.Null(resumed.PointBefore(long.MaxValue));
    }

    [Fact]
    public void A_source_that_fails_fails_as_it_is_when_all_before_was_given()
    {
        for (int at = 0; at < SmallFile.Length; at += 3)
        {
            using var decoder = new GzipDecodeStream(new MeteredStream(SmallFile, most: 10) { FailAt = at });
            (byte[] output, Exception? error) = ReadAll(decoder, 100);

            Assert.True(SmallContent.AsSpan().StartsWith(output));
            Assert.Equal("the disk failed", Assert.IsType<IOException>(error).Message);
            Assert.Same(error, Assert.Throws<IOException>(() => decoder.ReadByte()));
        }

        var canceled = new OperationCanceledException();
        using var stopped = new GzipDecodeStream(new MeteredStream(SmallFile, most: 10) { OnRead = at => throw (at > 100 ? canceled : new IOException()) });
        Assert.IsType<IOException>(ReadAll(stopped, 100).Error);
        using var later = new GzipDecodeStream(new MeteredStream(SmallFile, most: 10) { OnRead = at => _ = at < 100 ? 0 : throw canceled });
        Assert.Same(canceled, ReadAll(later, 100).Error);
    }

    /// <summary>Deflate that breaks one rule each; what follows must not be needed to see it.</summary>
    private static readonly Dictionary<string, Func<DeflateWriter, DeflateWriter>> Bad = new()
    {
        ["a block of type 3"] = w => w.Bits(7, 3),
        ["a stored block whose lengths differ"] = w => w.Bits(1, 8).Bits(5, 16).Bits(5, 16).Bits(0, 40),
        ["length symbol 286"] = w => w.Fixed(last: true).Literals(1, 2, 3).LiteralCode(286).Bits(0, 5).End(),
        ["length symbol 287"] = w => w.Fixed(last: true).Literals(1, 2, 3).LiteralCode(287).Bits(0, 5).End(),
        ["distance symbol 30"] = w => w.Fixed(last: true).Literals(1, 2, 3).LiteralCode(257).DistanceCode(30).End(),
        ["distance symbol 31"] = w => w.Fixed(last: true).Literals(1, 2, 3).LiteralCode(257).DistanceCode(31).End(),
        ["a distance before the start"] = w => w.Fixed(last: true).Literals(1, 2, 3).Match(3, 4).End(),
        ["a distance where there is nothing"] = w => w.Fixed(last: true).Match(3, 1).End(),
        ["too many literals"] = w => w.DynamicHeader(287, 1, Four).Bits(0, 32),
        ["too many distances"] = w => w.DynamicHeader(257, 31, Four).Bits(0, 32),
        ["code lengths' own code incomplete"] = w => w.DynamicHeader(257, 1, symbol => symbol < 15 ? 4 : 0).Bits(0, 32),
        ["code lengths' own code of one"] = w => w.DynamicHeader(257, 1, symbol => symbol == 1 ? 1 : 0).Bits(0, 300),
        ["code lengths' own code of none"] = w => w.DynamicHeader(257, 1, _ => 0).Bits(0, 300),
        ["code lengths' own code of too many"] = w => w.DynamicHeader(257, 1, _ => 4).Bits(0, 300),
        ["a repetition of nothing"] = w => w.DynamicHeader(257, 1, Repeating).Code(2, 2).Bits(0, 300),
        ["a repetition of zeros beyond the end"] = w => w.DynamicHeader(257, 1, Repeating).Code(3, 2).Bits(127, 7).Code(3, 2).Bits(127, 7).Bits(0, 300),
        ["a repetition beyond the end"] = w => w.DynamicHeader(257, 1, Repeating).Code(3, 2).Bits(127, 7).Code(3, 2).Bits(108, 7).Code(1, 2).Code(1, 2).Code(2, 2).Bits(0, 2).Bits(0, 300),
        ["no code for the end of the block"] = w => w.Dynamic(Lengths(257, (1, 1), (2, 1)), [1], last: true).Literals(1, 2, 1, 2).Bits(0, 32),
        ["literals that are too many"] = w => w.Dynamic(Lengths(257, (1, 1), (2, 1), (256, 1)), [1], last: true).Bits(0, 32),
        ["literals that are too few"] = w => w.Dynamic(Lengths(257, (1, 2), (2, 2), (256, 2)), [1], last: true).Bits(0, 32),
        ["long literals that are too few"] = w => w.Dynamic(Lengths(257, [(256, 1), .. Enumerable.Range(2, 14).Select(i => (i, i))]), [1], last: true).Bits(0, 32),
        ["one literal of two bits"] = w => w.Dynamic(Lengths(257, (256, 2)), [1], last: true).Bits(0, 32),
        ["distances that are too many"] = w => w.Dynamic(Lengths(257, (1, 1), (256, 1)), [1, 1, 1], last: true).Bits(0, 32),
        ["distances that are too few"] = w => w.Dynamic(Lengths(257, (1, 1), (256, 1)), [2, 2], last: true).Bits(0, 32),
        ["one distance of two bits"] = w => w.Dynamic(Lengths(257, (1, 1), (256, 1)), [2], last: true).Bits(0, 32),
        ["the distance that one code of one bit leaves"] = w => w.Dynamic(Lengths(258, (1, 1), (256, 2), (257, 2)), [1], last: true).Literals(1, 1).LiteralCode(257).Bits(1, 1).Bits(0, 32),
        ["a distance where there are none"] = w => w.Dynamic(Lengths(258, (1, 1), (256, 2), (257, 2)), [0], last: true).Literals(1, 1).LiteralCode(257).Bits(0, 32),
        ["the literal that one code of one bit leaves"] = w => w.Dynamic(Lengths(257, (256, 1)), [0], last: true).Bits(1, 1).Bits(0, 32),
    };

    private static int Four(int symbol) => symbol < 16 ? 4 : 0;

    /// <summary>0 is 00, 1 is 01, 16 is 10, 18 is 11.</summary>
    private static int Repeating(int symbol) => symbol is 0 or 1 or 16 or 18 ? 2 : 0;

    private static int[] Lengths(int count, params IEnumerable<(int Symbol, int Length)> codes)
    {
        int[] lengths = new int[count];
        foreach ((int symbol, int length) in codes)
        {
            lengths[symbol] = length;
        }

        return lengths;
    }

    private static DeflateWriter SmallMember(int seed)
    {
        var writer = new DeflateWriter();
        writer.Fixed().Literals("small"u8.ToArray()).Match(258, 5).Match(40, 7).End().Stored("stored"u8.ToArray());
        DeflateBlocks.Append(writer, new Random(seed), 2, 100, last: true);
        return writer;
    }

    private static byte[] Header(int flags)
    {
        byte[] header =
        [
            0x1F, 0x8B, 8, (byte)flags, 1, 2, 3, 4, 2, 3,
            .. (flags & Extra) == 0 ? [] : (byte[])[3, 0, 0, 0, 9],
            .. (flags & Name) == 0 ? [] : "name\0"u8.ToArray(),
            .. (flags & Comment) == 0 ? [] : "comment\0"u8.ToArray(),
        ];
        return (flags & HeaderCrc) == 0 ? header : [.. header, .. BitConverter.GetBytes(Crc32.HashToUInt32(header))[..2]];
    }

    private static byte[] Sample(string kind, int length)
    {
        var random = new Random(length);
        byte[] bytes = new byte[length];
        switch (kind)
        {
            case "noise":
                random.NextBytes(bytes);
                break;

            case "text":
                var text = new StringBuilder();
                string[] words = [.. Enumerable.Range(0, 2000).Select(i => Convert.ToBase64String(BitConverter.GetBytes(i * 7919))[..(2 + (i % 5))])];
                while (text.Length < length)
                {
                    text.Append(words[(int)(Math.Pow(random.NextDouble(), 3) * words.Length)]).Append(random.Next(12) == 0 ? '\n' : ' ');
                }

                Encoding.ASCII.GetBytes(text.ToString().AsSpan(0, length), bytes);
                break;

            case "binary":
                for (int i = 0; i < length; i++)
                {
                    bytes[i] = (i & 7) < 3 ? (byte)(i >> 9) : random.Next(3) == 0 ? (byte)random.Next(256) : bytes[Math.Max(0, i - 24)];
                }

                break;

            case "runs":
                for (int i = 0; i < length;)
                {
                    int run = Math.Min(length - i, random.Next(1, random.Next(2) == 0 ? 6 : 2000));
                    bytes.AsSpan(i, run).Fill((byte)random.Next(256));
                    i += run;
                }

                break;
        }

        return bytes;
    }

    private static byte[] Gzip(byte[] content, CompressionLevel level)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, level, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return target.ToArray();
    }

    private static (byte[] Content, byte[] File) LargeFile()
    {
        byte[] first = Sample("text", 1_600_000);
        byte[] second = [.. Sample("binary", 900_000), .. Sample("noise", 400_000), .. Sample("runs", 200_000), .. Sample("text", 700_000)];
        return ([.. first, .. first[..5], .. second], [.. Gzip(first, CompressionLevel.Optimal), .. Gzip(first[..5], CompressionLevel.Optimal), .. Gzip(second, CompressionLevel.Optimal)]);
    }

    /// <summary>Reads all in steps and asks for a point after each; the distinct ones that it was given.</summary>
    private static List<GzipResumePoint> FindPoints(GzipDecodeStream decoder, byte[] content, int start, int step)
    {
        var points = new List<GzipResumePoint>();
        byte[] buffer = new byte[step];
        int offset = start;
        int read;
        while ((read = decoder.ReadAtLeast(buffer, step, throwOnEndOfStream: false)) > 0)
        {
            Assert.True(content.AsSpan(offset, read).SequenceEqual(buffer.AsSpan(0, read)));
            offset += read;
            GzipResumePoint? point = decoder.PointBefore(offset);

            // Blocks of these contents are no larger than 128 KiB, and the decoder is no more than that ahead.
            Assert.NotNull(point);
            Assert.InRange(point.OutputOffset, Math.Max(start, offset - (768 * 1024)), offset);
            if (!points.Contains(point))
            {
                points.Add(point);
            }
        }

        Assert.Equal(content.Length, offset);
        return points;
    }

    private static MemoryStream From(byte[] file, GzipResumePoint point) => new(file[(int)point.SourceOffset..]);

    private static byte[] Resume(byte[] file, GzipResumePoint point)
    {
        using var decoder = new GzipDecodeStream(From(file, point), point);
        using var content = new MemoryStream();
        decoder.CopyTo(content);
        return content.ToArray();
    }

    private static byte[] Decode(byte[] compressed, int source = int.MaxValue, int target = 81920)
    {
        (byte[] output, Exception? error) = TryDecode(compressed, source, target);
        return error is null ? output : throw error;
    }

    private static (byte[] Output, Exception? Error) TryDecode(byte[] compressed, int source, int target)
    {
        using var decoder = new GzipDecodeStream(new MeteredStream(compressed, source));
        return ReadAll(decoder, target);
    }

    /// <summary>What zlib makes of it; it takes a cut stream for a whole one.</summary>
    private static (byte[] Output, Exception? Error) DotNet(byte[] compressed)
    {
        using var decoder = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
        return ReadAll(decoder, 100);
    }

    private static (byte[] Output, Exception? Error) ReadAll(Stream stream, int piece)
    {
        using var content = new MemoryStream();
        byte[] buffer = new byte[piece];
        try
        {
            int read;
            while ((read = stream.Read(buffer)) > 0)
            {
                content.Write(buffer, 0, read);
            }

            return (content.ToArray(), null);
        }
        catch (Exception e)
        {
            return (content.ToArray(), e);
        }
    }

    private static void AssertSame(byte[] expected, byte[] actual, string what)
    {
        int common = expected.AsSpan().CommonPrefixLength(actual);
        Assert.True(common == expected.Length && common == actual.Length, $"{what}: {actual.Length} bytes for {expected.Length}, the same up to {common}");
    }
}
