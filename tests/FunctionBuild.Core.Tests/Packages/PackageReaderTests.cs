using System.Text;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Saving;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Packages;

public sealed class PackageReaderTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestFolder _reading = new();

    public void Dispose()
    {
        _reading.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(ManifestKind.Docker, Compression.Gzip)]
    [InlineData(ManifestKind.Docker, Compression.None)]
    [InlineData(ManifestKind.Oci, Compression.Gzip)]
    [InlineData(ManifestKind.Oci, Compression.Zstd)]
    public async Task A_saved_package_is_read_with_the_digests_that_it_had(ManifestKind kind, Compression compression)
    {
        FunctionImage[] saved = [await Build("a", kind, compression), await Build("b", kind, compression)];
        PackageFile file = await Read(await Save("all.xpkg", saved), kind);
        IReadOnlyList<FunctionImage> read = PackageReader.ToFunctions(file);

        Assert.Equal(saved.Select(s => (s.Name, s.Repository, s.Digest)), read.Select(r => (r.Name, r.Repository, r.Digest)));
        foreach ((FunctionImage before, FunctionImage after) in saved.Zip(read))
        {
            Assert.Equal(before.Images.Select(i => (i.Platform, i.MediaType, i.Digest)), after.Images.Select(i => (i.Platform, i.MediaType, i.Digest)));
            Assert.Equal(before.Images.SelectMany(i => i.Layers).Select(l => l.DiffId), after.Images.SelectMany(i => i.Layers).Select(l => l.DiffId));
            Assert.Equal(before.Package.Yaml, after.Package.Yaml);
            Assert.Equal(before.Package.Name, after.Package.Name);
            Assert.Same(_reading.Workspace, after.Workspace);
        }

        Assert.All(read.SelectMany(r => r.Images).SelectMany(i => i.Layers), l => Assert.True(l.Blob.IsSlice));
        Assert.Equal(new FileInfo(file.Path).Length, _reading.Workspace.BytesRead);
    }

    [Fact]
    public async Task Examples_and_CRDs_are_read_too()
    {
        _folder.Write("crossplane.yaml", "apiVersion: meta.pkg.crossplane.io/v1\nkind: Function\nmetadata:\n  name: function-a\n"u8.ToArray());
        Directory.CreateDirectory(_folder.Combine("examples"));
        _folder.Write("examples/one.yaml", "apiVersion: example.org/v1\nkind: One\n"u8.ToArray());
        FunctionMetadata metadata = await MetadataReader.ReadAsync(_folder.Path, TestContext.Current.CancellationToken);
        FunctionImage saved = await (await _folder.ImportGroup(FunctionBuilds.TwoPlatforms(), metadata: metadata)).Build();
        FunctionImage read = Assert.Single(PackageReader.ToFunctions(await Read(await Save("a.xpkg", saved))));

        Assert.Equal(saved.Digest, read.Digest);
        Assert.Equal(metadata.Examples, read.Package.Examples);
        Assert.Equal(["base", "upbound"], read.Images[0].Layers.Select(l => l.Descriptor.Annotations?.Values.Single()).Where(a => a is not null));
    }

    [Fact]
    public async Task Files_of_single_platforms_make_up_one_function()
    {
        FunctionImage whole = await Build("a");
        List<PackageFile> files = [];
        foreach (PlatformImage platform in whole.Images)
        {
            files.Add(await Read(await SaveAs($"{platform.Platform.Architecture}.xpkg", whole, platform)));
        }

        FunctionImage read = PackageReader.ToFunction([.. files, files[0]], "registry.example.com/acme/platform_function-a");
        Assert.Equal(("function-a", whole.Digest), (read.Name, read.Digest));
    }

    [Fact]
    public async Task Files_of_different_functions_do_not_make_up_one()
    {
        PackageFile[] files = [await Read(await Save("a.xpkg", await Build("a"))), await Read(await Save("b.xpkg", await Build("b")))];
        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => PackageReader.ToFunction(files, "example.org/acme/a"));
        Assert.Equal("RepositoryForSeveralFunctions", error.ErrorId);
        Assert.All(files, f => Assert.Contains(f.Path, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_images_for_one_platform_are_no_function()
    {
        FunctionImage one = await Build("a");
        FunctionImage other = await (await _folder.ImportGroup(FunctionBuilds.TwoPlatforms("x"), "function-a", Metadata("a"))).Build();
        PackageFile[] files = [await Read(await Save("one.xpkg", one)), await Read(await Save("other.xpkg", other))];
        Assert.Equal("DuplicatePlatform", Assert.Throws<FunctionBuildException>(() => PackageReader.ToFunction(files, "example.org/acme/a")).ErrorId);
    }

    // As `crossplane xpkg build` writes it: one image, no tag.
    [Theory]
    [InlineData(null)]
    [InlineData("function-a:latest")]
    public async Task Without_a_registry_in_its_tags_a_file_needs_a_repository(string? tag)
    {
        FunctionImage whole = await Build("a");
        PackageFile file = await Read(await SaveAs("a.xpkg", whole, whole.Images[0], tag));

        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => PackageReader.ToFunctions(file));
        Assert.Equal("RepositoryUnknown", error.ErrorId);
        Assert.Contains("-Repository", error.Message, StringComparison.Ordinal);
        FunctionImage read = PackageReader.ToFunction([file], "example.org/acme/a");
        Assert.Equal(whole.Images[0].Digest, Assert.Single(read.Images).Digest);
    }

    [Fact]
    public async Task A_runtime_image_is_no_package()
    {
        TarballException error = await Fails(DockerArchive.Nix(FunctionBuilds.TwoPlatforms()[0]).Build(), "NotAPackage");
        Assert.Contains("Build-FunctionImage", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_file_says_where()
    {
        string path = await Save("a.xpkg", await Build("a"));
        byte[] content = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        await Fails(content[..^(content.Length / 3)], "TarballTruncated");
        content[content.Length / 2] ^= 1;
        TarballException error = await Assert.ThrowsAsync<TarballException>(() => Read(_folder.Write("damaged.xpkg", content)));
        Assert.Contains(error.ErrorId, (string[])["TarballCorrupt", "DiffIdMismatch"]);
    }

    [Fact]
    public async Task Metadata_that_break_the_rules_are_refused()
    {
        byte[] package = new TarBuilder().File("package.yaml", "apiVersion: meta.pkg.crossplane.io/v1\nkind: Provider\nmetadata:\n  name: provider-a\n").Build();
        string path = _folder.Write("provider.xpkg", DockerArchive.Nix(new FixtureImage { Layers = [package] }).Build());
        MetadataException error = await Assert.ThrowsAsync<MetadataException>(() => Read(path));
        Assert.Contains("package.yaml", error.Message, StringComparison.Ordinal);
        Assert.Contains("Provider", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_layer_is_marked_the_file_system_tells()
    {
        byte[] package = new TarBuilder().File("/package.yaml", FunctionBuilds.Metadata.Yaml).Build();
        byte[] removal = new TarBuilder().File(".wh.package.yaml", string.Empty).Build();
        string path = _folder.Write("plain.xpkg", DockerArchive.Nix(new FixtureImage { Layers = [FixtureImage.Layer("a"), package, FixtureImage.Layer("top")] }).Build());
        FunctionImage read = PackageReader.ToFunction([await Read(path)], "example.org/acme/a");

        Assert.Equal(FunctionBuilds.Metadata.Yaml, read.Package.Yaml);
        Assert.All(read.Images[0].Layers, l => Assert.Null(l.Descriptor.Annotations));
        await Fails(DockerArchive.Nix(new FixtureImage { Layers = [package, removal] }).Build(), "NotAPackage");
    }

    [Fact]
    public async Task Marks_must_make_sense()
    {
        byte[] empty = FixtureImage.Layer("a");
        byte[] package = new TarBuilder().File("package.yaml", FunctionBuilds.Metadata.Yaml).Build();
        await Fails(DockerArchive.Nix(Marked(empty)).Build(), "PackageYamlMissing");
        await Fails(DockerArchive.Nix(Marked(empty, package)).Build(), "SeveralPackageLayers");
        await Fails(DockerArchive.Nix(Marked(Encoding.ASCII.GetBytes(new string('x', 2000)))).Build(), "LayerNotTar");

        static FixtureImage Marked(params byte[][] layers) => new()
        {
            Layers = layers,
            Labels = layers.ToDictionary(l => $"io.crossplane.xpkg:{Digest.Of(l)}", _ => "base"),
        };
    }

    [Fact]
    public async Task Layers_compressed_with_zstd_need_OCI_media_types()
    {
        string path = await Save("a.xpkg", await Build("a", ManifestKind.Oci, Compression.Zstd));
        Assert.Equal("ZstdNeedsOci", (await Assert.ThrowsAsync<FunctionBuildException>(() => Read(path))).ErrorId);
    }

    // skopeo decompresses the layers of a Docker archive, and keeps those of a layout.
    [Fact]
    public async Task What_skopeo_and_umoci_made_of_a_package_is_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "umoci runs on Linux.");
        FunctionImage saved = await Build("a");
        string path = await Save("a.xpkg", saved);
        PlatformImage amd64 = saved.Images.Single(i => i.Platform.Architecture == "amd64");
        string source = $"docker-archive:{path}:{saved.Repository}:amd64";
        string copy = _folder.Combine("copy.tar");
        string layout = _folder.Combine("layout");
        await Tool.Run("skopeo", "--insecure-policy", "copy", "--quiet", source, $"docker-archive:{copy}:example.org/acme/copy:v1");
        await ImageSaver.SaveAsync([saved], new SaveOptions { Path = _folder.Combine("saved"), Format = SaveFormat.OciLayout }, null, TestContext.Current.CancellationToken);
        string[] ofLayout = ["--insecure-policy", "--override-os", "linux", "--override-arch", "amd64", "copy", "--quiet", $"oci:{_folder.Combine("saved")}:{saved.Name}"];
        await Tool.Run("skopeo", [.. ofLayout, $"oci-archive:{_folder.Combine("oci.tar")}"]);
        await Tool.Run("skopeo", [.. ofLayout, $"oci:{layout}:x"]);
        await Tool.Run("umoci", "config", "--image", $"{layout}:x", "--tag", "y", "--config.env", "A=B");
        await Tool.Run("skopeo", "--insecure-policy", "copy", "--quiet", $"oci:{layout}:y", $"oci-archive:{_folder.Combine("umoci.tar")}");

        FunctionImage decompressed = Assert.Single(PackageReader.ToFunctions(await Read(copy)));
        Assert.Equal("example.org/acme/copy", decompressed.Repository);
        Assert.Equal(amd64.Layers.Select(l => l.DiffId), decompressed.Images[0].Layers.Select(l => l.Blob.Digest));
        Assert.Equal(amd64.Config.Digest, decompressed.Images[0].Config.Digest);
        Assert.Equal(saved.Package.Yaml, decompressed.Package.Yaml);
        FunctionImage kept = PackageReader.ToFunction([await Read(_folder.Combine("oci.tar"))], "example.org/acme/a");
        Assert.Equal(amd64.Digest, kept.Images[0].Digest);
        FunctionImage changed = PackageReader.ToFunction([await Read(_folder.Combine("umoci.tar"))], "example.org/acme/a");
        Assert.Equal(amd64.Layers.Select(l => l.Descriptor.Digest), changed.Images[0].Layers.Select(l => l.Descriptor.Digest));
        Assert.Equal("base", changed.Images[0].Layers[^1].Descriptor.Annotations?["io.crossplane.xpkg"]);
        Assert.NotEqual(amd64.Digest, changed.Images[0].Digest);
    }

    private static FunctionMetadata Metadata(string function) => MetadataWriter.Synthesise(new MetadataOptions { Name = $"platform-function-{function}" });

    private async Task<FunctionImage> Build(string function, ManifestKind kind = ManifestKind.Docker, Compression compression = Compression.Gzip) =>
        await (await _folder.ImportGroup(FunctionBuilds.TwoPlatforms(function), $"function-{function}", Metadata(function))).Build(new BuildOptions { MediaType = kind, Compression = compression });

    private async Task<string> Save(string name, params FunctionImage[] images) =>
        (await ImageSaver.SaveAsync(images, new SaveOptions { Path = _folder.Combine(name), Format = SaveFormat.Xpkg }, null, TestContext.Current.CancellationToken)).FullName;

    /// <summary>Saves one platform, with another tag than the saver gives or with none.</summary>
    private async Task<string> SaveAs(string name, FunctionImage image, PlatformImage platform, string? tag = null)
    {
        string path = await Save(name, image with { Images = [platform] });
        var tar = new TarBuilder();
        using (FileStream file = File.OpenRead(path))
        using (var reader = new System.Formats.Tar.TarReader(file))
        {
            while (await reader.GetNextEntryAsync(copyData: true, TestContext.Current.CancellationToken) is { } entry)
            {
                byte[] content = new byte[entry.Length];
                entry.DataStream?.ReadExactly(content);
                if (entry.Name == "manifest.json")
                {
                    string tags = tag is null ? "null" : $"[\"{tag}\"]";
                    content = Encoding.UTF8.GetBytes(System.Text.RegularExpressions.Regex.Replace(Encoding.UTF8.GetString(content), "\"RepoTags\":\\[[^\\]]*\\]", $"\"RepoTags\":{tags}"));
                }

                tar.File(entry.Name, content);
            }
        }

        return _folder.Write(name, tar.Build());
    }

    private Task<PackageFile> Read(string path, ManifestKind kind = ManifestKind.Docker) =>
        PackageReader.ReadAsync(_reading.Workspace, path, new PackageReadOptions { MediaType = kind }, null, TestContext.Current.CancellationToken);

    private async Task<TarballException> Fails(byte[] content, string errorId)
    {
        TarballException error = await Assert.ThrowsAsync<TarballException>(() => Read(_folder.Write("bad.xpkg", content)));
        Assert.Equal(errorId, error.ErrorId);
        return error;
    }
}
