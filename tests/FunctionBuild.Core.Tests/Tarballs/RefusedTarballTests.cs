using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>Tarballs whose content is wrong: each is refused by name, leaves nothing behind and disturbs nobody.</summary>
public sealed class RefusedTarballTests : IDisposable
{
    private static readonly FixtureImage Image = new() { Tags = ["function:v1"] };
    private static readonly byte[] Other = FixtureImage.Layer("other");

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_layer_with_another_diff_ID_is_refused()
    {
        FixtureImage lying = Image with { Config = Json(Image.ConfigObject(), c => c["rootfs"]!["diff_ids"]![1] = Digest.Of(Other).ToString()) };
        foreach (byte[] tarball in new[] { DockerArchive.Nix(lying).Build(), Compress.Gzip(DockerArchive.Nix(lying).Build()), DockerArchive.Ko(lying).Build() })
        {
            FunctionBuildException error = await TarballAssert.Refused(_folder, "DiffIdMismatch", tarball);

            Assert.Contains(Digest.Of(Other).ToString(), error.Message, StringComparison.Ordinal);
            Assert.Contains(Image.DiffIds[1].ToString(), error.Message, StringComparison.Ordinal);
            Assert.Contains("layer 2", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_config_that_is_not_what_its_name_says_is_refused()
    {
        byte[] changed = Json(Image.ConfigObject(), c => c["config"]!["Entrypoint"] = new JsonArray("/evil"));
        foreach (string name in new[] { $"{Image.ConfigDigest.Hex}.json", Image.ConfigDigest.ToString(), Image.ConfigDigest.Hex })
        {
            TarBuilder tar = Layers().File(name, changed).File("manifest.json", DockerArchive.Manifest(name, [], ["0.tar", "1.tar"]));

            await TarballAssert.Refused(_folder, "BlobDigestMismatch", tar);
        }
    }

    [Fact]
    public async Task A_blob_that_is_not_what_its_name_says_is_refused()
    {
        var layout = new OciLayout();
        layout.Root(layout.Image(Image)).Without(Image.DiffIds[0]);

        await TarballAssert.Refused(_folder, "BlobDigestMismatch", new TarBuilder().File(OciLayout.BlobName(Image.DiffIds[0]), Other).Raw(layout.Build().BuildWithoutEnd()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_descriptor_with_another_size_is_refused(bool withDockerManifest)
    {
        var layout = new OciLayout();
        JsonObject image = layout.Image(Image);
        image["size"] = image["size"]!.GetValue<int>() + 1;
        layout.Root(image);

        await TarballAssert.Refused(_folder, "BlobDigestMismatch", withDockerManifest ? DockerArchive.WithLayout(layout, Image) : layout.Build());
    }

    [Fact]
    public async Task Blobs_that_are_missing_are_refused()
    {
        foreach ((Digest missing, string errorId) in new[] { (Image.DiffIds[1], "BlobMissing"), (Image.ConfigDigest, "ConfigMissing") })
        {
            var layout = new OciLayout();
            layout.Root(layout.Image(Image)).Without(missing);

            FunctionBuildException error = await TarballAssert.Refused(_folder, errorId, layout.Build());
            Assert.Contains(missing.Hex, error.Message, StringComparison.Ordinal);
        }

        await TarballAssert.Refused(_folder, "BlobMissing", new OciLayout().Root(new OciLayout().Image(Image)).Build());
    }

    [Fact]
    public async Task Layers_and_configs_that_are_missing_are_refused()
    {
        await TarballAssert.Refused(_folder, "LayerMissing", new TarBuilder().File("c.json", Image.Config).File("0.tar", Image.Layers[0]).File("manifest.json", DockerArchive.Manifest("c.json", [], ["0.tar", "1.tar"])));
        await TarballAssert.Refused(_folder, "LayerMissing", Layers().File("c.json", Image.Config).File("manifest.json", DockerArchive.Manifest("c.json", [], ["0.tar", "../1.tar"])));
        await TarballAssert.Refused(_folder, "ConfigMissing", Layers().File("manifest.json", DockerArchive.Manifest("c.json", [], ["0.tar", "1.tar"])));
        await TarballAssert.Refused(_folder, "LayerMissing", new TarBuilder().File("c.json", Image.Config).SymbolicLink("0.tar", "nowhere.tar").File("manifest.json", DockerArchive.Manifest("c.json", [], ["0.tar", "0.tar"])));
    }

    [Fact]
    public async Task Fewer_or_more_layers_than_diff_IDs_are_refused()
    {
        foreach (string[] layers in new string[][] { ["0.tar"], ["0.tar", "1.tar", "1.tar"], [] })
        {
            await TarballAssert.Refused(_folder, "ManifestInvalid", Layers().File("c.json", Image.Config).File("manifest.json", DockerArchive.Manifest("c.json", [], layers)));
        }
    }

    [Fact]
    public async Task A_tar_that_is_no_image_is_refused()
    {
        FunctionBuildException error = await TarballAssert.Refused(_folder, "ManifestMissing", new TarBuilder().File("src/main.py", "print()"));
        Assert.Contains("src/main.py", error.Message, StringComparison.Ordinal);
        await TarballAssert.Refused(_folder, "ManifestMissing", new TarBuilder());
        await TarballAssert.Refused(_folder, "ManifestMissing", new TarBuilder().Directory("manifest.json/"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not JSON")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    [InlineData("[{\"Config\":1,\"Layers\":[]}]")]
    [InlineData("[{\"Config\":\"\",\"Layers\":[]}]")]
    [InlineData("[{\"Config\":\"c.json\"}]")]
    [InlineData("[{\"Config\":\"c.json\",\"Layers\":null}]")]
    [InlineData("[{\"Config\":\"c.json\",\"Layers\":\"0.tar\"}]")]
    [InlineData("[{\"Config\":\"c.json\",\"Layers\":[0]}]")]
    [InlineData("[{\"Config\":\"c.json\",\"Layers\":[\"0.tar\",\"1.tar\"],\"RepoTags\":[null]}]")]
    [InlineData("[{\"Config\":\"c.json\",\"Config\":\"d.json\",\"Layers\":[\"0.tar\",\"1.tar\"]}]")]
    [InlineData("[{\"Config\":\"c.json\",\"Layers\":[\"0.tar\",\"1.tar\"]}] trailing")]
    [InlineData("[{\"Config\":\"\\ud800\",\"Layers\":[\"0.tar\",\"1.tar\"]}]")]
    public Task A_manifest_that_is_malformed_is_refused(string manifest) =>
        TarballAssert.Refused(_folder, "ManifestInvalid", Layers().File("c.json", Image.Config).File("manifest.json", manifest));

    [Fact]
    public async Task A_manifest_that_is_absurdly_nested_or_large_is_refused()
    {
        await TarballAssert.Refused(_folder, "ManifestInvalid", new TarBuilder().File("manifest.json", new string('[', 100_000)));
        await TarballAssert.Refused(_folder, "ManifestInvalid", new TarBuilder().File("manifest.json", $"[{new string(' ', ArchiveReader.MaximumJsonSize)}]"));
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\"}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":[]}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{}}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":{}}}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[1]}}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[\"sha512:00\"]}}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[]},\"os\":\"linux\"}")]
    [InlineData("{\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[]}}")]
    [InlineData("{\"os\":1,\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[]}}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"\",\"rootfs\":{\"diff_ids\":[]}}")]
    [InlineData("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Labels\":{\"a\":1}}}")]
    [InlineData("{\"os\":\"\\ud800\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[]}}")]
    public Task A_config_that_is_malformed_is_refused(string config) =>
        TarballAssert.Refused(_folder, "ConfigInvalid", new TarBuilder().File("c.json", config).File("manifest.json", DockerArchive.Manifest("c.json", [], [])));

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"manifests\":null}")]
    [InlineData("{\"manifests\":[]}")]
    [InlineData("{\"manifests\":[null]}")]
    [InlineData("{\"manifests\":[{}]}")]
    [InlineData("{\"manifests\":[{\"digest\":\"md5:1\",\"size\":1}]}")]
    [InlineData("{\"manifests\":[{\"digest\":\"sha256:0000000000000000000000000000000000000000000000000000000000000000\",\"size\":-1}]}")]
    [InlineData("{\"manifests\":[{\"digest\":\"sha256:0000000000000000000000000000000000000000000000000000000000000000\",\"size\":1e99}]}")]
    [InlineData("{\"manifests\":[{\"digest\":\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"}]}")]
    [InlineData("{\"manifests\":[],\"manifests\":[]}")]
    public Task An_index_that_is_malformed_is_refused(string index) =>
        TarballAssert.Refused(_folder, "ManifestInvalid", new TarBuilder().File("index.json", index));

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"config\":{}}")]
    [InlineData("{\"config\":null,\"layers\":[]}")]
    [InlineData("not JSON")]
    public async Task An_image_manifest_that_is_malformed_is_refused(string manifest)
    {
        var layout = new OciLayout();
        layout.Root(layout.Blob(Encoding.UTF8.GetBytes(manifest), MediaTypes.OciManifest));

        await TarballAssert.Refused(_folder, "ManifestInvalid", layout.Build());
    }

    [Fact]
    public async Task Indexes_that_are_nested_without_end_are_refused()
    {
        var layout = new OciLayout();
        JsonObject deep = layout.Image(Image);
        for (int depth = 0; depth < 20; depth++)
        {
            deep = layout.Index(deep);
        }

        await TarballAssert.Refused(_folder, "ManifestInvalid", layout.Root(deep).Build());
    }

    [Fact]
    public async Task Indexes_that_list_each_other_a_thousand_times_are_refused()
    {
        // 1,000 to the power of 7 paths lead to the image.
        var layout = new OciLayout();
        JsonObject index = layout.Image(Image);
        for (int depth = 0; depth < 7; depth++)
        {
            index = layout.Index([.. Enumerable.Repeat(index, 1000)]);
        }

        await TarballAssert.Refused(_folder, "ManifestInvalid", layout.Root(index).Build());
    }

    [Fact]
    public async Task A_layer_compressed_as_no_image_may_be_is_refused()
    {
        foreach (byte[] layer in new[] { Compress.Xz(Image.Layers[0]), Compress.Bzip2(Image.Layers[0]) })
        {
            FixtureImage image = Image with { Layers = [Image.Layers[0]] };
            TarBuilder tar = new TarBuilder().File("0.tar", layer).File("c.json", image.Config).File("manifest.json", DockerArchive.Manifest("c.json", [], ["0.tar"]));

            await TarballAssert.Refused(_folder, "LayerCompressionUnsupported", tar);
        }
    }

    [Fact]
    public async Task A_compressed_layer_that_is_damaged_or_cut_is_refused()
    {
        FixtureImage image = Image with { Layers = [Image.Layers[0]] };
        foreach (byte[] layer in new[] { Compress.Gzip(Image.Layers[0]), Compress.Zstd(Image.Layers[0]) })
        {
            byte[] damaged = [.. layer];
            damaged[^6] ^= 1;
            foreach (byte[] bad in new[] { damaged, layer[..^1], [.. layer, 1] })
            {
                TarBuilder tar = new TarBuilder().File("0.tar", bad).File("c.json", image.Config).File("manifest.json", DockerArchive.Manifest("c.json", [], ["0.tar"]));

                await TarballAssert.Refused(_folder, "TarballCorrupt", tar);
                await TarballAssert.Refused(_folder, "TarballCorrupt", Compress.Gzip(tar.Build()));
            }
        }
    }

    [Fact]
    public async Task A_duplicate_entry_with_other_content_is_refused()
    {
        await TarballAssert.Refused(_folder, "DuplicateEntry", new TarBuilder().File("0.tar", Other).File("./0.tar", "x"));
        await TarballAssert.Refused(_folder, "DuplicateEntry", new TarBuilder().File("a.json", "{}").File("a.json", "[]"));
        await TarballAssert.Refused(_folder, "DuplicateEntry", new TarBuilder().File("0.tar", Other).SymbolicLink("0.tar", "1.tar"));
        await TarballAssert.Refused(_folder, "DuplicateEntry", new TarBuilder().SymbolicLink("0.tar", "2.tar").SymbolicLink("0.tar", "1.tar"));
    }

    [Theory]
    [InlineData("/manifest.json")]
    [InlineData("../manifest.json")]
    [InlineData("a/../../manifest.json")]
    [InlineData("a/..")]
    [InlineData(@"\manifest.json")]
    [InlineData(@"..\manifest.json")]
    [InlineData(@"a\..\..\manifest.json")]
    [InlineData("C:/manifest.json")]
    [InlineData(@"C:\manifest.json")]
    public async Task A_path_that_leads_out_is_refused(string name)
    {
        await TarballAssert.Refused(_folder, "EntryPathUnsafe", new TarBuilder().File(name, "[]"));
        await TarballAssert.Refused(_folder, "EntryPathUnsafe", new TarBuilder().Pax(("path", name)).File("short", "[]"));
        await TarballAssert.Refused(_folder, "EntryPathUnsafe", new TarBuilder().GnuLongName(name).File("short", "[]"));
        await TarballAssert.Refused(_folder, "EntryPathUnsafe", new TarBuilder().Directory(name + "/"));
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../0.tar")]
    [InlineData("a/../../0.tar")]
    [InlineData(@"..\0.tar")]
    [InlineData(@"\0.tar")]
    [InlineData("C:/0.tar")]
    public async Task A_link_that_leads_out_is_refused(string target)
    {
        await TarballAssert.Refused(_folder, "LinkOutside", new TarBuilder().SymbolicLink("link", target));
        await TarballAssert.Refused(_folder, "LinkOutside", new TarBuilder().HardLink("link", target));
    }

    [Fact]
    public async Task Links_that_go_round_are_refused()
    {
        await TarballAssert.Refused(_folder, "LinkLoop", new TarBuilder().SymbolicLink("a", "a"));
        await TarballAssert.Refused(_folder, "LinkLoop", new TarBuilder().SymbolicLink("a", "b").HardLink("b", "a"));
        await TarballAssert.Refused(_folder, "LinkLoop", new TarBuilder().SymbolicLink("a", "a/b"));
        await TarballAssert.Refused(_folder, "LinkLoop", new TarBuilder().SymbolicLink("d/a", "../e/a").SymbolicLink("e", "d"));
    }

    [Fact]
    public async Task Links_through_more_folders_than_anybody_follows_are_refused()
    {
        var tar = new TarBuilder();
        string deep = string.Concat(Enumerable.Repeat("/a", 400));
        for (int i = 0; i < 10; i++)
        {
            tar.SymbolicLink($"link{i}", $"link{i + 1}");
        }

        for (int i = 0; i < 300; i++)
        {
            tar.GnuLongLink($"link0{deep}").SymbolicLink($"deep{i}", "link0");
        }

        await TarballAssert.Refused(_folder, "LinkLoop", tar);
    }

    [Theory]
    [InlineData('3', "character device")]
    [InlineData('4', "block device")]
    [InlineData('6', "named pipe")]
    [InlineData('S', "sparse file")]
    [InlineData('M', "'M'")]
    [InlineData('?', "'?'")]
    public async Task An_entry_that_is_no_file_is_refused(char type, string description)
    {
        FunctionBuildException error = await TarballAssert.Refused(_folder, "EntryTypeUnsupported", new TarBuilder().Entry(new TarHeader("odd") { Type = type }));

        Assert.Contains(description, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sparse_file_in_pax_attributes_is_refused()
    {
        TarBuilder tar = new TarBuilder().Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "0.tar"), ("GNU.sparse.realsize", "1099511627776"))
            .File("GNUSparseFile.0/0.tar", Encoding.ASCII.GetBytes("0\n".PadRight(512, '\0')));

        FunctionBuildException error = await TarballAssert.Refused(_folder, "EntryTypeUnsupported", tar);

        Assert.Contains("sparse", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("function-hello-arm64.tar", null, "its name says 'arm64'")]
    [InlineData("function-hello.tar", "arm64", "it was asked for 'arm64'")]
    [InlineData("function-hello-amd64.tar", "arm64", "it was asked for 'arm64'")]
    public async Task An_architecture_that_was_not_asked_for_is_refused(string name, string? asked, string origin)
    {
        FunctionBuildException error = await TarballAssert.Refused(_folder, "ArchitectureMismatch", DockerArchive.Nix(Image).Build(), new ImportOptions { Architecture = asked }, name);

        Assert.Contains(origin, error.Message, StringComparison.Ordinal);
        Assert.Contains("'amd64'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Several_images_that_nothing_tells_apart_are_refused() => TarballAssert.Refused(
        _folder, "ImageNameUnknown", DockerArchive.Nix(Image, Image with { Tags = [], Layers = [Other] }));

    [Fact]
    public async Task The_other_tarballs_are_imported_all_the_same()
    {
        byte[] bad = Compress.Gzip(DockerArchive.Nix(Image).Build());
        bad[^5] ^= 1;

        Assert.Single(await _folder.Import(DockerArchive.Nix(Image).Build(), "one.tar"));
        await TarballAssert.Refused(_folder, "TarballCorrupt", bad);
        Assert.Single(await _folder.Import(Compress.Gzip(DockerArchive.Nix(Image).Build()), "two.tar"));
        Assert.Equal(3, _folder.Workspace.TarballsImported);
    }

    private static TarBuilder Layers() => new TarBuilder().File("0.tar", Image.Layers[0]).File("1.tar", Image.Layers[1]);

    private static byte[] Json(JsonObject json, Action<JsonObject> change)
    {
        change(json);
        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }
}
