using System.Collections.Concurrent;
using System.Text;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Prefixes;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>What tarballs have in common at their beginning is decompressed once, and nobody can tell by the result.</summary>
public sealed class SharedPrefixTests : IDisposable
{
    /// <summary>More than what is decompressed again between two marks.</summary>
    private const int Slack = 2 * (int)PrefixTrail.Spacing;

    private static readonly byte[][] Common = [.. Enumerable.Range(0, 6).Select(i => Layer($"common {i}", 900_000))];

    private static readonly ConcurrentDictionary<string, byte[]> Gzipped = [];

    private readonly TestFolder _folder = new();

    public static TheoryData<string> Shapes => ["Nix", "Legacy", "Podman", "compressed layers", "long names"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task What_two_tarballs_begin_with_is_decompressed_once(string shape)
    {
        byte[] first = Shape(shape, Image("first")).Build();
        byte[] second = Shape(shape, Image("second")).Build();

        RuntimeImage one = Assert.Single(await _folder.Import(Compress.Gzip(first), "first.tar.gz"));
        long before = _folder.Workspace.BytesDecompressed;
        RuntimeImage other = Assert.Single(await _folder.Import(Compress.Gzip(second), "second.tar.gz"));

        Check(Image("first"), one);
        Check(Image("second"), other);
        Assert.InRange(_folder.Workspace.BytesDecompressed - before, 1, 100_000 + Slack);
        Assert.Equal(FilesLength("first.tar.gz", "second.tar.gz"), _folder.Workspace.BytesRead);
    }

    [Fact]
    public async Task Names_and_times_that_gzip_tools_write_before_the_content_do_not_count()
    {
        byte[] first = Compress.Gzip(DockerArchive.Nix(Image("first")).Build());
        byte[] second = Compress.Gzip(DockerArchive.Nix(Image("second")).Build());
        await _folder.Import([.. first[..3], 0x08, 1, 2, 3, 4, 2, 3, .. "first.tar\0"u8, .. first[10..]], "first.tar.gz");
        long before = _folder.Workspace.BytesDecompressed;
        byte[] named = [.. second[..3], 0x1C, 9, 9, 9, 9, 4, 255, 3, 0, .. "abc"u8, .. "a longer name.tar\0"u8, .. "a comment\0"u8, .. second[10..]];

        Check(Image("second"), Assert.Single(await _folder.Import(named, "second.tar.gz")));

        Assert.InRange(_folder.Workspace.BytesDecompressed - before, 1, 100_000 + Slack);
        Assert.Equal(FilesLength("first.tar.gz", "second.tar.gz"), _folder.Workspace.BytesRead);
    }

    [Theory]
    [InlineData("1F8B0808", 0)]
    [InlineData("1F8B08080000000000036100AABB", 2)]
    [InlineData("1F8B080C0000000000030300010203 6162 00AABB", 8)]
    [InlineData("1F8B08180000000000036100 6300 AABB", 4)]
    [InlineData("1F8B0801000000000003AABB", 0)]
    [InlineData("1F8B08000102030405FFAABB", 0, true)]
    [InlineData("1F8B080A000000000003610012 34AABB", 0)]
    [InlineData("1F8B0848000000000003 6100AABB", 0)]
    [InlineData("1F8B0708000000000003 6100AABB", 0)]
    [InlineData("1F8B0808000000000003 616263", 0)]
    [InlineData("1F8B0804000000000003 FF", 0)]
    [InlineData("1F8B0804000000000003 FFFF00", 0)]
    [InlineData("1F8B0814000000000003 0300 010203", 0)]
    public void A_gzip_header_is_simplified_where_nothing_is_lost(string file, int fields, bool isChanged = false)
    {
        byte[] before = Convert.FromHexString(file.Replace(" ", string.Empty, StringComparison.Ordinal));
        byte[] after = [.. before];

        Assert.Equal(fields, GzipHeader.Simplify(after));

        byte[] expected = fields > 0 || isChanged ? [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0, 0xAA, 0xBB] : before;
        Assert.Equal(expected, after[..^fields]);
    }

    [Fact]
    public async Task Every_byte_is_read_once_in_order()
    {
        string first = Write("first");
        string second = Write("second");
        await _folder.Import(first);
        byte[] file = await File.ReadAllBytesAsync(second, TestContext.Current.CancellationToken);
        using var input = new MeteredStream(file, most: 70_000);

        // The stream cannot seek.
        Check(Image("second"), Assert.Single(TarballImporter.Import(_folder.Workspace, second, input, new ImportOptions(), TestContext.Current.CancellationToken)));

        Assert.Equal(file.Length, input.BytesGiven);
        Assert.InRange(_folder.Workspace.BytesDecompressed, 1, Common.Sum(l => (long)l.Length) + (2 * Slack));
    }

    [Fact]
    public async Task A_tarball_that_was_read_before_is_not_decompressed_again()
    {
        string path = Write("first");
        await _folder.Import(path);
        long before = _folder.Workspace.BytesDecompressed;

        Check(Image("first"), Assert.Single(await _folder.Import(path)));

        Assert.InRange(_folder.Workspace.BytesDecompressed - before, 1, Slack);
        Assert.Equal(2 * new FileInfo(path).Length, _folder.Workspace.BytesRead);
    }

    [Fact]
    public async Task Layers_that_part_in_the_middle_are_resumed_there()
    {
        byte[] whole = Layer("large", 8_000_000);
        byte[] tail = [.. whole];
        tail[^100_000] ^= 1;
        FixtureImage changed = new() { Layers = [.. Common.Take(2), tail] };

        // The names of the entries do not follow from their content here.
        FixtureImage first = changed with { Layers = [.. Common.Take(2), whole] };
        await _folder.Import(Compress.Gzip(DockerArchive.Legacy(first).Build()), "first.tar.gz");
        long before = _folder.Workspace.BytesDecompressed;
        Check(changed, Assert.Single(await _folder.Import(Compress.Gzip(DockerArchive.Legacy(changed).Build()), "second.tar.gz")));

        Assert.InRange(_folder.Workspace.BytesDecompressed - before, 1, Slack);
    }

    [Fact]
    public async Task Many_that_begin_alike_and_come_at_once_wait_for_the_first()
    {
        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"function {i}")];
        string[] paths = [.. names.Select(n => Write(n))];

        IReadOnlyList<RuntimeImage>[] images = await Task.WhenAll(paths.Select(p => _folder.Import(p)));

        Assert.All(names.Zip(images), pair => Check(Image(pair.First), Assert.Single(pair.Second)));
        Assert.InRange(_folder.Workspace.BytesDecompressed, 1, Common.Sum(l => (long)l.Length) + (8 * Slack));
        Assert.Equal(paths.Sum(p => new FileInfo(p).Length), _folder.Workspace.BytesRead);
    }

    [Fact]
    public async Task One_that_waits_says_so_once()
    {
        byte[] tarball = Compress.Gzip(DockerArchive.Nix(Image("first")).Build());
        string second = Write("second");
        var reports = new ConcurrentQueue<string>();
        using var told = new ManualResetEventSlim();
        var options = new ImportOptions
        {
            Report = message =>
            {
                reports.Enqueue(message);
                told.Set();
            },
        };
        Task<IReadOnlyList<RuntimeImage>>? follower = null;
        using var input = new MeteredStream(tarball, most: 100_000)
        {
            OnRead = position =>
            {
                if (position > tarball.Length / 2 && follower is null)
                {
                    // This import stands still until the other has said that it waits.
                    follower = _folder.Import(second, options);
                    Assert.True(told.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
                }
            },
        };

        TarballImporter.Import(_folder.Workspace, "first.tar.gz", input, new ImportOptions(), TestContext.Current.CancellationToken);
        await follower!;

        Assert.Equal(2, reports.Count);
        Assert.EndsWith("second.tar.gz': begins like a tarball that is being imported, and waits for it.", reports.First(), StringComparison.Ordinal);
        Assert.Contains("are not decompressed again", reports.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Branches_of_branches_are_followed()
    {
        FixtureImage[] images = [.. Enumerable.Range(0, 6).Select(i => new FixtureImage { Layers = [.. Common.Take(i), Layer($"own {i}", 50_000), .. Common.Skip(i)] })];
        foreach (FixtureImage image in images.Concat(images))
        {
            Check(image, Assert.Single(await _folder.Import(Write("function", image))));
        }

        // All but the first begin as another does; each is read twice.
        long own = images.Select((_, i) => Common.Skip(i).Sum(l => (long)l.Length)).Sum();
        Assert.InRange(_folder.Workspace.BytesDecompressed, 1, own + (12 * Slack));
    }

    [Fact]
    public async Task A_layer_longer_than_what_is_kept_is_waited_for()
    {
        // Noise does not compress: a follower has read more than it may keep before the first mark comes.
        byte[] noise = FixtureImage.Layer("noise", 20_000_000);
        FixtureImage[] images = [.. Enumerable.Range(0, 3).Select(i => new FixtureImage { Layers = [noise, Layer($"own {i}", 50_000)] })];
        string[] paths = [.. images.Select((image, i) => Write($"function {i}", image))];

        IReadOnlyList<RuntimeImage>[] imported = await Task.WhenAll(paths.Select(p => _folder.Import(p)));

        Assert.All(images.Zip(imported), pair => Check(pair.First, Assert.Single(pair.Second)));
        Assert.InRange(_folder.Workspace.BytesDecompressed, 1, noise.Length + (3 * Slack));
    }

    [Theory]
    [InlineData("TarballCorrupt")]
    [InlineData("TarballTruncated")]
    [InlineData("ManifestMissing")]
    public async Task A_bad_tarball_takes_none_of_those_that_begin_alike_with_it(string errorId)
    {
        byte[] good = Compress.Gzip(DockerArchive.Nix(Image("bad")).Build());
        byte[] bad = errorId switch
        {
            "TarballCorrupt" => [.. good[..^6], (byte)~good[^6], .. good[^5..]],
            "TarballTruncated" => good[..^2000],
            _ => Compress.Gzip(Common.Aggregate(new TarBuilder(), (tar, layer) => tar.File($"{Digest.Of(layer).Hex}/layer.tar", layer)).Build()),
        };
        string path = _folder.Write("bad.tar.gz", bad);
        string[] names = [.. Enumerable.Range(0, 4).Select(i => $"function {i}")];

        for (int round = 0; round < 3; round++)
        {
            using BuildWorkspace workspace = _folder.NewWorkspace();
            Task<IReadOnlyList<RuntimeImage>> Import(string file) => TarballImporter.ImportAsync(workspace, file, new ImportOptions(), null, TestContext.Current.CancellationToken);
            Task<IReadOnlyList<RuntimeImage>> failing = Import(path);
            if (round == 1)
            {
                await Assert.ThrowsAnyAsync<TarballException>(() => failing);
            }

            Task<IReadOnlyList<RuntimeImage>>[] others = [.. names.Select(n => Import(Write(n)))];

            Assert.Equal(errorId, (await Assert.ThrowsAnyAsync<TarballException>(() => failing)).ErrorId);
            foreach ((string name, Task<IReadOnlyList<RuntimeImage>> import) in names.Zip(others))
            {
                Check(Image(name), Assert.Single(await import));
            }

            Assert.Equal(errorId, (await Assert.ThrowsAnyAsync<TarballException>(() => Import(path))).ErrorId);
            Assert.Equal(Common.Length + names.Length + 1, TarballAssert.Files(workspace).Length);
        }
    }

    [Fact]
    public async Task Damage_behind_the_common_part_is_found()
    {
        await _folder.Import(Write("first"));
        byte[] second = await File.ReadAllBytesAsync(Write("second"), TestContext.Current.CancellationToken);

        foreach (int place in new[] { 3, 6, 20_000, 60_000 })
        {
            byte[] damaged = [.. second];
            damaged[^place] ^= 4;

            TarballException error = await Assert.ThrowsAsync<TarballException>(() => _folder.Import(damaged, "second.tar.gz"));
            Assert.Contains(error.ErrorId, (string[])["TarballCorrupt", "DiffIdMismatch"]);
        }
    }

    [Fact]
    public async Task A_cancelled_import_leaves_those_that_follow_it_alone()
    {
        byte[] tarball = Compress.Gzip(DockerArchive.Nix(Image("first")).Build());
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var follows = new ManualResetEventSlim();
        Task<IReadOnlyList<RuntimeImage>>? follower = null;
        using var input = new MeteredStream(tarball, most: 100_000)
        {
            OnRead = position =>
            {
                if (position > tarball.Length / 2 && follower is null)
                {
                    follower = _folder.Import(Write("second"));
                    while (_folder.Workspace.BytesRead < position + (tarball.Length / 4) && !follower.IsCompleted)
                    {
                        TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                        Thread.Sleep(1);
                    }

                    cancel.Cancel();
                }
            },
        };

        Assert.ThrowsAny<OperationCanceledException>(() => TarballImporter.Import(_folder.Workspace, "first.tar.gz", input, new ImportOptions(), cancel.Token));

        Check(Image("second"), Assert.Single(await follower!));
        Assert.Equal(Common.Length + 2, TarballAssert.Files(_folder.Workspace).Length);
    }

    [Fact]
    public async Task One_that_waits_can_be_cancelled()
    {
        byte[] tarball = Compress.Gzip(DockerArchive.Nix(Image("first")).Build());
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        string second = Write("second");
        Task<IReadOnlyList<RuntimeImage>>? follower = null;
        using var input = new MeteredStream(tarball, most: 100_000)
        {
            OnRead = position =>
            {
                if (position > tarball.Length / 2 && follower is null)
                {
                    follower = TarballImporter.ImportAsync(_folder.Workspace, second, new ImportOptions(), null, cancel.Token);
                    cancel.CancelAfter(50);

                    // This import stands still meanwhile, so the other waits for it.
                    Assert.ThrowsAny<OperationCanceledException>(() => follower.GetAwaiter().GetResult());
                }
            },
        };

        Check(Image("first"), Assert.Single(TarballImporter.Import(_folder.Workspace, "first.tar.gz", input, new ImportOptions(), TestContext.Current.CancellationToken)));
        Assert.NotNull(follower);
    }

    [Fact]
    public async Task Content_that_no_image_used_is_read_again()
    {
        byte[] unused = FixtureImage.Noise("unused", 3_000_000);
        byte[] first = new TarBuilder().File("small", "notes").File("unused", unused).Raw(DockerArchive.Nix(Image("first")).Build()).Build();
        byte[] second = new TarBuilder().File("small", "notes").File("unused", unused).Raw(DockerArchive.Nix(Image("second")).Build()).Build();

        Check(Image("first"), Assert.Single(await _folder.Import(Compress.Gzip(first), "first.tar.gz")));
        Check(Image("second"), Assert.Single(await _folder.Import(Compress.Gzip(second), "second.tar.gz")));

        Assert.Equal(first.Length + second.Length, _folder.Workspace.BytesDecompressed);
        Assert.Equal(Common.Length + 3, TarballAssert.Files(_folder.Workspace).Length);
    }

    [Fact]
    public async Task One_that_follows_may_be_followed_while_it_reads_the_entry_in_which_it_began()
    {
        const int Chunk = 128 * 1024;
        byte[] noise = FixtureImage.Noise("noise", 7_000_000);
        FixtureImage other = new() { Layers = [noise[..^10]] };
        FixtureImage image = new() { Layers = [[.. noise.Take(3_500_000), .. FixtureImage.Noise("other", 3_500_000 - 10)]] };
        byte[] first = Compress.Gzip(DockerArchive.Legacy(other).Build());
        byte[] second = Compress.Gzip(DockerArchive.Legacy(image).Build());
        string[] paths = [_folder.Write("second.tar.gz", second), _folder.Write("third.tar.gz", second)];
        int common = first.AsSpan().CommonPrefixLength(second) / Chunk;
        Assert.InRange(common, 20, 40);
        Task<IReadOnlyList<RuntimeImage>>[] followers = [];
        using var input = new MeteredStream(first, most: Chunk)
        {
            OnRead = position =>
            {
                if (position > (common + 2) * Chunk && followers.Length == 0)
                {
                    // Both have parted from this one when it goes on, and one follows the other.
                    followers = [.. paths.Select(p => _folder.Import(p))];
                    while (_folder.Workspace.BytesRead < position + (((2 * common) + 3) * Chunk) && !followers.Any(f => f.IsCompleted))
                    {
                        TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                        Thread.Sleep(1);
                    }

                    Thread.Sleep(20);
                }
            },
        };

        Check(other, Assert.Single(TarballImporter.Import(_folder.Workspace, "first.tar.gz", input, new ImportOptions(), TestContext.Current.CancellationToken)));

        Assert.Equal(2, followers.Length);
        foreach (Task<IReadOnlyList<RuntimeImage>> follower in followers)
        {
            Check(image, Assert.Single(await follower));
        }
    }

    [Fact]
    public async Task Small_compressed_content_counts_once_for_the_limit()
    {
        var tar = new TarBuilder();
        for (int i = 0; i < 10; i++)
        {
            tar.File($"{i}.gz", Compress.Gzip([.. new byte[2_000_000], (byte)i]));
        }

        byte[] tarball = Compress.Gzip(tar.Raw(DockerArchive.Nix(Image("first")).Build()).Build());
        var options = new ImportOptions { MaximumExpandedSize = 30_000_000 };

        await _folder.Import(tarball, "first.tar.gz", options);
        Check(Image("first"), Assert.Single(await _folder.Import(tarball, "first.tar.gz", options)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_compressed_layers_hold_counts_for_the_limit_though_the_store_has_them(bool gzipped)
    {
        byte[] tarball = Shape("compressed layers", new FixtureImage { Layers = [new TarBuilder().File("zeros", new byte[20_000_000]).Build()] }).Build();
        tarball = gzipped ? Compress.Gzip(tarball) : tarball;
        await _folder.Import(tarball, "first.tar.gz");

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => _folder.Import(tarball, "second.tar.gz", new ImportOptions { MaximumExpandedSize = 10_000_000 }));

        Assert.Equal("ExpandedSizeExceeded", error.ErrorId);
    }

    [Fact]
    public async Task What_need_not_be_decompressed_counts_for_the_limit()
    {
        string first = Write("first");
        await _folder.Import(first);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => _folder.Import(first, new ImportOptions { MaximumExpandedSize = 4_000_000 }));

        Assert.Equal("ExpandedSizeExceeded", error.ErrorId);
    }

    [Fact]
    public async Task Whatever_part_differs_the_result_is_as_in_a_workspace_of_its_own()
    {
        byte[] tar = DockerArchive.Podman(Image("first")).Build();
        await _folder.Import(Compress.Gzip(tar), "first.tar.gz");
        var random = new Random(7);
        for (int round = 0; round < 15; round++)
        {
            byte[] changed = [.. tar];
            int position = random.Next(changed.Length);
            changed.AsSpan(position, Math.Min(random.Next(1, 2000), changed.Length - position)).Fill((byte)round);
            byte[] gzipped = Compress.Gzip(changed);
            using BuildWorkspace alone = _folder.NewWorkspace();

            Assert.Equal(await Outcome(alone, gzipped), await Outcome(_folder.Workspace, gzipped));
        }
    }

    private async Task<string> Outcome(BuildWorkspace workspace, byte[] tarball)
    {
        try
        {
            RuntimeImage image = Assert.Single(await TarballImporter.ImportAsync(workspace, _folder.Write("second.tar.gz", tarball), new ImportOptions(), null, TestContext.Current.CancellationToken));
            return string.Join(' ', image.Layers.Select(l => l.DiffId));
        }
        catch (TarballException e)
        {
            return e.Message;
        }
    }

    private static void Check(FixtureImage expected, RuntimeImage image)
    {
        Assert.Equal(expected.DiffIds, image.Layers.Select(l => l.DiffId));
        foreach (ImageLayer layer in image.Layers)
        {
            // Verifies the content.
            using Stream stream = layer.Blob.OpenRead();
            stream.CopyTo(Stream.Null);
        }
    }

    private static FixtureImage Image(string name) => new() { Layers = [.. Common, Layer(name, 60_000)] };

    private static TarBuilder Shape(string name, FixtureImage image) => name switch
    {
        "Nix" => DockerArchive.Nix(image),
        "Legacy" => DockerArchive.Legacy(image),
        "Podman" => DockerArchive.Podman(image),
        "compressed layers" => image.Layers.Aggregate(new TarBuilder(), (tar, l) => tar.File(CompressedName(l), Compress.Gzip(l)))
            .File("config.json", image.Config).File("manifest.json", DockerArchive.Manifest([image], _ => "config.json", CompressedName)),
        "long names" => new TarBuilder().GlobalPax(("comment", "made by a test")).Directory("folder/").GnuLongName(new string('n', 300)).File("n", new byte[3000]).Raw(DockerArchive.Nix(image).BuildWithoutEnd()),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    private static string CompressedName(byte[] layer) => $"{Digest.Of(layer).Hex}.tar.gz";

    /// <summary>A layer of words and noise, so that the encoder makes blocks of all kinds.</summary>
    private static byte[] Layer(string name, int size)
    {
        var random = new Random(name.Aggregate(5, (hash, c) => (hash * 31) + c));
        var text = new StringBuilder();
        while (text.Length < size / 2)
        {
            text.Append(random.Next(5000)).Append(random.Next(3) == 0 ? " layer " : " of words\n");
        }

        return new TarBuilder().File($"{name}.txt", text.ToString()).File(name, FixtureImage.Noise(name, size / 2)).Build();
    }

    private string Write(string name) => _folder.Write($"{name}.tar.gz", Gzipped.GetOrAdd(name, n => Compress.Gzip(DockerArchive.Nix(Image(n)).Build())));

    private string Write(string name, FixtureImage image) => _folder.Write($"{name}.tar.gz", Compress.Gzip(DockerArchive.Nix(image).Build()));

    private long FilesLength(params string[] names) => names.Sum(n => new FileInfo(_folder.Combine(n)).Length);
}
