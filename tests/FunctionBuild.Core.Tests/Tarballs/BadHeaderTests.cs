using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>Tar headers that claim what cannot be.</summary>
public sealed class BadHeaderTests : IDisposable
{
    private const long Gigabyte = 1024 * 1024 * 1024;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData('L')]
    [InlineData('K')]
    [InlineData('x')]
    [InlineData('g')]
    public async Task A_name_or_attributes_of_a_gigabyte_are_refused(char type)
    {
        long before = GC.GetTotalAllocatedBytes();
        foreach (TarHeader header in new[] { new TarHeader("x") { Type = type, Size = Gigabyte }, new TarHeader("x") { Type = type, SizeField = [0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0] } })
        {
            await TarballAssert.Refused(_folder, "HeaderTooLarge", new TarBuilder().Entry(header).File("a", "b"));
            await TarballAssert.Refused(_folder, "HeaderTooLarge", Compress.Gzip(new TarBuilder().File("a", "b").Entry(header).File("a", "b").Build()));
        }

        Assert.True(GC.GetTotalAllocatedBytes() - before < Gigabyte, "Memory was taken for what a header claims.");
    }

    [Fact]
    public async Task A_name_of_many_thousand_characters_is_refused()
    {
        await TarballAssert.Refused(_folder, "HeaderTooLarge", new TarBuilder().GnuLongName(new string('n', 5000)).File("n", "x"));
        await TarballAssert.Refused(_folder, "HeaderTooLarge", new TarBuilder().Pax(("linkpath", new string('n', 5000))).SymbolicLink("n", "x"));
    }

    [Fact]
    public async Task A_size_that_is_negative_or_larger_than_the_archive_is_refused()
    {
        byte[] negative = [.. Enumerable.Repeat((byte)0xFF, 12)];
        byte[] huge = [0x80, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        byte[] beyond = [0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

        await TarballAssert.Refused(_folder, "TarballCorrupt", new TarBuilder().Entry(new TarHeader("n") { SizeField = negative }));
        await TarballAssert.Refused(_folder, "TarballCorrupt", new TarBuilder().Entry(new TarHeader("n") { SizeField = beyond }));
        await TarballAssert.Refused(_folder, "TarballTruncated", new TarBuilder().Entry(new TarHeader("n") { SizeField = huge }));
        await TarballAssert.Refused(_folder, "ExpandedSizeExceeded", Compress.Gzip(new TarBuilder().Entry(new TarHeader("n") { SizeField = huge }).Build()));
        await TarballAssert.Refused(_folder, "TarballTruncated", new TarBuilder().Pax(("size", $"{long.MaxValue}")).File("n", "x"));
        await TarballAssert.Refused(_folder, "TarballCorrupt", new TarBuilder().Pax(("size", "-1")).File("n", "x"));
        await TarballAssert.Refused(_folder, "TarballTruncated", new TarBuilder().Entry(new TarHeader("n") { Size = 9 * Gigabyte / 2 }, new byte[9000]));
    }

    [Fact]
    public async Task Links_and_folders_that_claim_content_are_refused()
    {
        await TarballAssert.Refused(_folder, "TarballCorrupt", new TarBuilder().Entry(new TarHeader("l") { Type = '2', LinkName = "x", Size = 5 }, new byte[5]));
        await TarballAssert.Refused(_folder, "TarballCorrupt", new TarBuilder().Entry(new TarHeader("h") { Type = '1', LinkName = "x", Size = 5 }, new byte[5]));
        await TarballAssert.Refused(_folder, "TarballCorrupt", new TarBuilder().Entry(new TarHeader("d/") { Type = '5', Size = Gigabyte }));
    }

    [Fact]
    public async Task A_header_with_a_wrong_checksum_is_refused()
    {
        byte[] tar = DockerArchive.Nix(new FixtureImage()).Build();
        tar[0] ^= 1;

        await TarballAssert.Refused(_folder, "TarballCorrupt", tar);
    }

    [Fact]
    public async Task Pax_attributes_that_are_malformed_are_refused()
    {
        foreach (string attributes in new[] { "x", "999 path=a\n", "9 path=a\n9 path=b\n", "-5 a=b\n", "0 a=b\n", "99999999999999999999 a=b\n" })
        {
            byte[] content = System.Text.Encoding.ASCII.GetBytes(attributes);
            await TarballAssert.Refused(_folder, "TarballCorrupt", new TarBuilder().Entry(new TarHeader("p") { Type = 'x', Size = content.Length }, content).File("a", "b"));
        }
    }

    [Fact]
    public async Task A_file_without_a_name_is_refused() => await TarballAssert.Refused(_folder, "EntryPathUnsafe", new TarBuilder().File("./", "x"));

    [Fact]
    public async Task More_entries_than_an_image_has_are_refused()
    {
        var tar = new TarBuilder();
        byte[] block = new TarHeader("d/") { Type = '5' }.ToBlock();
        for (int i = 0; i < 100_001; i++)
        {
            tar.Raw(block);
        }

        await TarballAssert.Refused(_folder, "TarballNotImage", Compress.Gzip(tar.Build()));
    }

    [Fact]
    public async Task Names_longer_in_all_than_an_image_has_are_refused()
    {
        var tar = new TarBuilder();
        byte[] folder = new TarBuilder().GnuLongName(new string('d', 1000)).Directory("d").BuildWithoutEnd();
        for (int i = 0; i < 17_000; i++)
        {
            tar.Raw(folder);
        }

        await TarballAssert.Refused(_folder, "TarballNotImage", Compress.Gzip(tar.Build()));
    }

    [Fact]
    public async Task A_bomb_is_stopped_at_the_limit()
    {
        var options = new ImportOptions { MaximumExpandedSize = 1_000_000 };
        byte[] zeros = new byte[8_000_000];
        byte[] tar = new TarBuilder().File("zeros", zeros).Build();

        // The entry's header tells; the header lies small and the rest is padding; a compressed layer in a plain tarball; both.
        await TarballAssert.Refused(_folder, "ExpandedSizeExceeded", Compress.Gzip(tar), options);
        await TarballAssert.Refused(_folder, "ExpandedSizeExceeded", Compress.Gzip(new byte[8_000_000]), options);
        await TarballAssert.Refused(_folder, "ExpandedSizeExceeded", Compress.Zstd(tar), options);
        await TarballAssert.Refused(_folder, "ExpandedSizeExceeded", new TarBuilder().File("layer.tar", Compress.Gzip(zeros)).Build(), options);
        FunctionBuildException error = await TarballAssert.Refused(_folder, "ExpandedSizeExceeded", Compress.Gzip(new TarBuilder().File("layer.tar", Compress.Zstd(zeros)).Build()), options);

        Assert.Contains("1,000,000", error.Message, StringComparison.Ordinal);
        Assert.Contains("-MaximumExpandedSize", error.Message, StringComparison.Ordinal);
        Assert.InRange(_folder.Workspace.BytesDecompressed, 1, 7_000_000);
    }

    [Fact]
    public async Task The_limit_is_exact()
    {
        byte[] tar = DockerArchive.Nix(new FixtureImage()).Build();
        byte[] file = Compress.Gzip(tar);

        await TarballAssert.Refused(_folder, "ExpandedSizeExceeded", file, new ImportOptions { MaximumExpandedSize = tar.Length - 1 });
        Assert.Single(await _folder.Import(file, "enough.tar", new ImportOptions { MaximumExpandedSize = tar.Length }));
    }
}
