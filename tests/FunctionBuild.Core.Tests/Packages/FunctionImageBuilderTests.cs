using System.Formats.Tar;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Packages;

public sealed class FunctionImageBuilderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_runtimes_layers_come_first_and_the_annotated_package_layer_last()
    {
        FixtureImage fixture = FunctionBuilds.TwoPlatforms()[0];

        FunctionImage function = await (await _folder.ImportGroup([fixture])).Build();

        PlatformImage image = Assert.Single(function.Images);
        Assert.Equal(fixture.DiffIds, image.Layers.SkipLast(1).Select(l => l.DiffId));
        Assert.All(image.Layers.SkipLast(1), l => Assert.Null(l.Descriptor.Annotations));
        Assert.Equal(new Dictionary<string, string> { ["io.crossplane.xpkg"] = "base" }, image.Layers[^1].Descriptor.Annotations);
        Assert.All(image.Layers, l => Assert.Equal(l.DiffId, Digest.Of(Decompress(l.Blob))));
        Assert.Equal(function.Size, image.Size);
    }

    [Fact]
    public async Task The_config_gets_diff_IDs_history_and_labels_and_keeps_the_rest()
    {
        var fixture = new FixtureImage { Labels = new Dictionary<string, string> { ["org.example"] = "kept" } };
        JsonObject original = fixture.ConfigObject();
        original["x-unknown"] = new JsonObject { ["kept"] = true };
        original["created"] = "2024-01-02T03:04:05Z";
        fixture = fixture with { Config = Bytes(original) };

        PlatformImage image = (await (await _folder.ImportGroup([fixture])).Build()).Images[0];

        JsonNode config = Json(image.Config);
        PackageLayer package = image.Layers[^1];
        Assert.Equal(image.Layers.Select(l => l.DiffId.ToString()), config["rootfs"]!["diff_ids"]!.AsArray().Select(d => (string?)d));
        Assert.Equal(3, config["history"]!.AsArray().Count);
        Assert.Equal(
            new Dictionary<string, string?> { ["org.example"] = "kept", [$"io.crossplane.xpkg:{package.Descriptor.Digest}"] = "base" },
            config["config"]!["Labels"]!.AsObject().ToDictionary(l => l.Key, l => (string?)l.Value));
        Assert.True(JsonNode.DeepEquals(original["x-unknown"], config["x-unknown"]));
        Assert.Equal("2024-01-02T03:04:05Z", (string?)config["created"]);
        Assert.Equal("/function", (string?)config["config"]!["Entrypoint"]![0]);
    }

    [Theory]
    [InlineData(ManifestKind.Docker, Compression.Gzip, MediaTypes.DockerManifest, MediaTypes.DockerConfig, "application/vnd.docker.image.rootfs.diff.tar.gzip")]
    [InlineData(ManifestKind.Docker, Compression.None, MediaTypes.DockerManifest, MediaTypes.DockerConfig, "application/vnd.docker.image.rootfs.diff.tar")]
    [InlineData(ManifestKind.Oci, Compression.Gzip, MediaTypes.OciManifest, MediaTypes.OciConfig, "application/vnd.oci.image.layer.v1.tar+gzip")]
    [InlineData(ManifestKind.Oci, Compression.Zstd, MediaTypes.OciManifest, MediaTypes.OciConfig, "application/vnd.oci.image.layer.v1.tar+zstd")]
    [InlineData(ManifestKind.Oci, Compression.None, MediaTypes.OciManifest, MediaTypes.OciConfig, "application/vnd.oci.image.layer.v1.tar")]
    public async Task Media_types_follow_the_options(ManifestKind kind, Compression compression, string manifestType, string configType, string layerType)
    {
        FunctionImage function = await _folder.BuildTwoPlatforms(options: new BuildOptions { MediaType = kind, Compression = compression });

        JsonNode index = Json(function.Index);
        Assert.Equal(2, (int?)index["schemaVersion"]);
        Assert.Equal(MediaTypes.OciIndex, (string?)index["mediaType"]);
        Assert.All(index["manifests"]!.AsArray(), m => Assert.Equal(manifestType, (string?)m!["mediaType"]));
        foreach (PlatformImage image in function.Images)
        {
            JsonNode manifest = Json(image.Manifest);
            Assert.Equal(2, (int?)manifest["schemaVersion"]);
            Assert.Equal(manifestType, (string?)manifest["mediaType"]);
            Assert.Equal(configType, (string?)manifest["config"]!["mediaType"]);
            Assert.Equal(image.Config.Digest.ToString(), (string?)manifest["config"]!["digest"]);
            Assert.Equal(image.Config.Length, (long?)manifest["config"]!["size"]);
            Assert.Equal(image.Layers.Select(l => l.Blob.Digest.ToString()), manifest["layers"]!.AsArray().Select(l => (string?)l!["digest"]));
            Assert.Equal(image.Layers.Select(l => l.Blob.Length), manifest["layers"]!.AsArray().Select(l => (long)l!["size"]!));
            Assert.All(manifest["layers"]!.AsArray(), l => Assert.Equal(layerType, (string?)l!["mediaType"]));
            Assert.All(image.Layers, l => Assert.Equal(compression == Compression.None, l.DiffId == l.Descriptor.Digest));
            Assert.All(image.Layers, l => Assert.Equal(l.DiffId, Digest.Of(Decompress(l.Blob))));
        }
    }

    [Fact]
    public async Task The_index_lists_every_platform_in_order_of_digests()
    {
        FixtureImage[] fixtures =
        [
            .. FunctionBuilds.TwoPlatforms(),
            new FixtureImage { Architecture = "arm", Variant = "v7" },
            new FixtureImage { Architecture = "amd64", Os = "windows" },
        ];
        FunctionImage function = await (await _folder.ImportGroup(fixtures)).Build();

        JsonArray entries = Json(function.Index)["manifests"]!.AsArray();
        Assert.Equal(function.Images.Select(i => i.Digest.ToString()), entries.Select(e => (string?)e!["digest"]));
        Assert.Equal(function.Images.Select(i => i.Digest).Order(), function.Images.Select(i => i.Digest));
        Assert.Equal(function.Images.Select(i => i.Manifest.Length), entries.Select(e => (long)e!["size"]!));
        Assert.Equal(
            ["{\"architecture\":\"amd64\",\"os\":\"linux\"}", "{\"architecture\":\"amd64\",\"os\":\"windows\"}", "{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"}", "{\"architecture\":\"arm64\",\"os\":\"linux\"}"],
            entries.Select(e => e!["platform"]!.ToJsonString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task One_platform_makes_an_index_too()
    {
        FunctionImage function = await (await _folder.ImportGroup([new FixtureImage()])).Build();

        Assert.Equal(MediaTypes.OciIndex, function.MediaType);
        Assert.Equal(function.Images[0].Digest.ToString(), (string?)Assert.Single(Json(function.Index)["manifests"]!.AsArray())!["digest"]);
        Assert.Equal($"{FunctionBuilds.Repository}_function-a@{function.Index.Digest}", function.ToString());
    }

    [Fact]
    public async Task Package_and_examples_are_layers_of_one_file_each()
    {
        FunctionMetadata metadata = FunctionBuilds.Metadata with { Examples = "---\nkind: A\n" };

        FunctionImage function = await (await _folder.ImportGroup(FunctionBuilds.TwoPlatforms(), metadata: metadata)).Build();

        PackageLayer package = function.Images[0].Layers[^2];
        PackageLayer examples = function.Images[0].Layers[^1];
        Assert.Equal("base", package.Descriptor.Annotations!["io.crossplane.xpkg"]);
        Assert.Equal("upbound", examples.Descriptor.Annotations!["io.crossplane.xpkg"]);
        Assert.Equal([package, examples], function.Images[1].Layers.TakeLast(2));
        AssertSingleFile(package, "package.yaml", metadata.Yaml);
        AssertSingleFile(examples, ".up/examples.yaml", metadata.Examples);
        JsonObject labels = Json(function.Images[0].Config)["config"]!["Labels"]!.AsObject();
        Assert.Equal("base", (string?)labels[$"io.crossplane.xpkg:{package.Descriptor.Digest}"]);
        Assert.Equal("upbound", (string?)labels[$"io.crossplane.xpkg:{examples.Descriptor.Digest}"]);
    }

    [Fact]
    public async Task Each_distinct_layer_is_compressed_once_in_the_life_of_a_workspace()
    {
        FunctionGroup[] groups = [await _folder.ImportGroup(FunctionBuilds.TwoPlatforms("a"), "a"), await _folder.ImportGroup(FunctionBuilds.TwoPlatforms("b"), "b")];
        long distinct = groups.SelectMany(g => g.Images).SelectMany(i => i.Layers).DistinctBy(l => l.DiffId).Sum(l => l.Size);

        BuildProgress first = await Compress(groups);
        BuildProgress second = await Compress(groups);
        string[] blobs = Blobs();
        FunctionImage a = await groups[0].Build();
        FunctionImage b = await groups[1].Build();

        Assert.Equal(distinct, first.TotalBytes);
        Assert.Equal(distinct, first.BytesDone);
        Assert.Equal(0, second.BytesDone);
        Assert.Single(new[] { a, b }.SelectMany(f => f.Images).Select(i => i.Layers[0].Descriptor.Digest).Distinct());
        Assert.Equal(5, blobs.Length);

        // The package layer, and index, manifests and configs of each function.
        Assert.Equal(1 + (2 * 5), Blobs().Except(blobs).Count());
    }

    [Theory]
    [InlineData("+gzip", ManifestKind.Docker, "application/vnd.docker.image.rootfs.diff.tar.gzip")]
    [InlineData("+gzip", ManifestKind.Oci, "application/vnd.oci.image.layer.v1.tar+gzip")]
    [InlineData("+zstd", ManifestKind.Oci, "application/vnd.oci.image.layer.v1.tar+zstd")]
    public async Task A_layer_that_came_compressed_keeps_its_digest(string suffix, ManifestKind kind, string mediaType)
    {
        OciLayout layout = suffix == "+zstd" ? OciLayout.Zstd() : OciLayout.Gzip();
        var fixture = new FixtureImage();
        FunctionGroup group = await _folder.ImportGroup([fixture], tarball: i => layout.Root(layout.Image(i)).Build().Build());

        BuildProgress progress = await Compress([group], new BuildOptions { MediaType = kind });
        PlatformImage image = (await group.Build(new BuildOptions { MediaType = kind })).Images[0];

        Assert.Equal(0, progress.TotalBytes);
        Assert.Equal(fixture.Layers.Select(l => Digest.Of(layout.Encode(l))), image.Layers.SkipLast(1).Select(l => l.Descriptor.Digest));
        Assert.Equal(fixture.DiffIds, image.Layers.SkipLast(1).Select(l => l.DiffId));
        Assert.All(image.Layers.SkipLast(1), l => Assert.Equal(mediaType, l.Descriptor.MediaType));
    }

    [Fact]
    public async Task Layers_that_came_as_zstd_need_OCI_media_types()
    {
        OciLayout layout = OciLayout.Zstd();
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage()], tarball: i => layout.Root(layout.Image(i)).Build().Build());

        FunctionBuildException error = await Fails("ZstdNeedsOci", () => group.Build());

        Assert.Contains(group.Images[0].Source, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Compression.Gzip, 0)]
    [InlineData(Compression.Gzip, 1)]
    [InlineData(Compression.Gzip, 9)]
    [InlineData(Compression.Zstd, 1)]
    [InlineData(Compression.Zstd, 19)]
    public void A_level_in_range_is_taken(Compression compression, int level) =>
        new BuildOptions { Compression = compression, CompressionLevel = level, MediaType = ManifestKind.Oci }.Validate();

    [Theory]
    [InlineData(Compression.Gzip, -1, "InvalidCompressionLevel")]
    [InlineData(Compression.Gzip, 10, "InvalidCompressionLevel")]
    [InlineData(Compression.Zstd, 0, "InvalidCompressionLevel")]
    [InlineData(Compression.Zstd, 20, "InvalidCompressionLevel")]
    [InlineData(Compression.Zstd, null, "ZstdNeedsOci")]
    public async Task Options_that_make_no_sense_are_an_error(Compression compression, int? level, string errorId)
    {
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage()]);
        await Fails(errorId, () => group.Build(new BuildOptions { Compression = compression, CompressionLevel = level }));
        await Fails(errorId, () => Compress([group], new BuildOptions { Compression = compression, CompressionLevel = level }));
    }

    [Fact]
    public async Task A_higher_level_makes_smaller_layers()
    {
        byte[] text = System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i * 7919 % 10_007} lines of text\n")));
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage { Layers = [new TarBuilder().File("text", text).Build()] }]);

        long[] sizes = [await SizeAt(0), await SizeAt(1), await SizeAt(9)];

        Assert.True(sizes[0] > text.Length && sizes[1] < sizes[0] && sizes[2] < sizes[1], string.Join(", ", sizes));

        async Task<long> SizeAt(int level) => (await group.Build(new BuildOptions { CompressionLevel = level })).Images[0].Layers[0].Descriptor.Size;
    }

    [Fact]
    public async Task Two_images_of_one_platform_are_an_error_that_names_both_sources()
    {
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage(), new FixtureImage { Layers = [FixtureImage.Layer("other")] }]);

        FunctionBuildException error = await Fails("DuplicatePlatform", () => group.Build());

        Assert.All(group.Images, i => Assert.Contains($"'{i.Source}'", error.Message, StringComparison.Ordinal));
        Assert.Contains("linux/amd64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Variants_of_an_architecture_are_different_platforms()
    {
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage { Architecture = "arm", Variant = "v6" }, new FixtureImage { Architecture = "arm", Variant = "v7" }]);

        Assert.Equal(2, (await group.Build()).Images.Count);
    }

    [Fact]
    public async Task Images_of_different_workspaces_are_an_error()
    {
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage()]);
        using BuildWorkspace other = _folder.NewWorkspace();
        string path = _folder.Write("other.tar", DockerArchive.Nix(new FixtureImage { Architecture = "arm64" }).Build());
        IReadOnlyList<RuntimeImage> images = await TarballImporter.ImportAsync(other, path, new ImportOptions(), null, TestContext.Current.CancellationToken);

        await Fails("WorkspaceMismatch", () => (group with { Images = [.. group.Images, .. images] }).Build());
    }

    [Fact]
    public async Task A_runtime_image_that_is_a_package_already_is_an_error()
    {
        var labels = new Dictionary<string, string> { [$"io.crossplane.xpkg:{Digest.Of("x"u8)}"] = "base" };
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage { Labels = labels }]);

        FunctionBuildException error = await Fails("RuntimeIsPackage", () => group.Build());

        Assert.Contains(group.Images[0].Source, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repository_that_cannot_be_published_to_is_an_error()
    {
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage()]);
        await Fails("InvalidRepository", () => (group with { Repository = "Example.org/Upper:tag" }).Build());
    }

    [Fact]
    public async Task A_tarball_that_changed_after_the_import_is_an_error_and_the_rest_is_still_built()
    {
        FunctionGroup changed = await _folder.ImportGroup([new FixtureImage()], "changed");
        FunctionGroup good = await _folder.ImportGroup([new FixtureImage { Layers = [FixtureImage.Layer("good")] }], "good");
        await File.WriteAllBytesAsync(changed.Images[0].Source, new byte[new FileInfo(changed.Images[0].Source).Length], TestContext.Current.CancellationToken);

        await Compress([changed, good]);

        FunctionBuildException error = await Fails("BlobChanged", () => changed.Build());
        Assert.Contains(changed.Images[0].Source, error.Message, StringComparison.Ordinal);
        Assert.Single((await good.Build()).Images);
    }

    [Fact]
    public async Task Building_in_a_removed_workspace_is_an_error_that_names_it()
    {
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage()]);
        _folder.Workspace.Dispose();

        await Compress([group]);

        FunctionBuildException error = await Fails("WorkspaceRemoved", () => group.Build());
        Assert.Contains(_folder.Workspace.Id, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_stops_the_build_and_leaves_no_partial_blob()
    {
        FunctionGroup group = await _folder.ImportGroup(FunctionBuilds.TwoPlatforms());
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FunctionImageBuilder.CompressLayersAsync([group], new BuildOptions(), null, cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FunctionImageBuilder.BuildAsync(group, new BuildOptions(), cancelled.Token));

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_folder.Workspace.Path, "incoming")));
        Assert.Equal(2, (await group.Build()).Images.Count);
    }

    private static void AssertSingleFile(PackageLayer layer, string name, string content)
    {
        using var reader = new TarReader(new MemoryStream(Decompress(layer.Blob)));
        TarEntry entry = reader.GetNextEntry(copyData: true)!;
        Assert.Equal(name, entry.Name);
        Assert.Equal(TarEntryType.RegularFile, entry.EntryType);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, entry.Mode);
        Assert.Equal((0, 0, DateTimeOffset.UnixEpoch), (entry.Uid, entry.Gid, entry.ModificationTime));
        Assert.Equal(content, new StreamReader(entry.DataStream!).ReadToEnd());
        Assert.Null(reader.GetNextEntry());
    }

    private static byte[] Decompress(Blob blob)
    {
        using Stream content = blob.OpenRead();
        byte[] bytes = ReadAll(content);
        Compression compression = Codecs.Sniff(bytes);
        if (compression == Compression.None)
        {
            return bytes;
        }

        using Stream decoder = Codecs.OpenDecoder(compression, new MemoryStream(bytes));
        return ReadAll(decoder);
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static JsonNode Json(Blob blob)
    {
        using Stream content = blob.OpenRead();
        return JsonNode.Parse(content)!;
    }

    private static byte[] Bytes(JsonNode node) => System.Text.Encoding.UTF8.GetBytes(node.ToJsonString());

    private static async Task<FunctionBuildException> Fails(string errorId, Func<Task> act)
    {
        FunctionBuildException error = await Assert.ThrowsAnyAsync<FunctionBuildException>(act);
        Assert.Equal(errorId, error.ErrorId);
        return error;
    }

    private static async Task<BuildProgress> Compress(FunctionGroup[] groups, BuildOptions? options = null)
    {
        var progress = new BuildProgress();
        await FunctionImageBuilder.CompressLayersAsync(groups, options ?? new BuildOptions(), progress, TestContext.Current.CancellationToken);
        return progress;
    }

    private string[] Blobs() => Directory.GetFiles(Path.Combine(_folder.Workspace.Path, "blobs", "sha256"));
}
