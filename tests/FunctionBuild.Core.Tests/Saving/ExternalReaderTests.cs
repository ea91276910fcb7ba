using System.Text.Json.Nodes;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Saving;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Saving;

/// <summary>What is saved is read by the field's own tools, where a machine has them.</summary>
public sealed class ExternalReaderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ManifestKind.Docker, Core.Content.Compression.Gzip)]
    [InlineData(ManifestKind.Oci, Core.Content.Compression.Zstd)]
    public async Task Skopeo_reads_every_image_of_an_xpkg(ManifestKind kind, Core.Content.Compression compression)
    {
        FunctionImage[] functions = await BuildTwo(new BuildOptions { MediaType = kind, Compression = compression });
        string path = await Save("all.xpkg", functions);

        foreach ((FunctionImage function, PlatformImage image) in functions.SelectMany(f => f.Images.Select(i => (f, i))))
        {
            string source = $"docker-archive:{path}:{function.Repository}:{image.Platform.Architecture}";
            Assert.Equal(Text(image.Config), await ExternalTool.Run("skopeo", "inspect", "--config", "--raw", source));
        }

        // Copying verifies every layer against its diff ID; the images also have numbers.
        string copy = _folder.Combine("copy");
        await ExternalTool.Run("skopeo", "--insecure-policy", "copy", "--quiet", $"docker-archive:{path}:@3", $"dir:{copy}");
        Assert.Equal(Text(functions[1].Images[1].Config), await File.ReadAllTextAsync(Path.Combine(copy, functions[1].Images[1].Config.Digest.Hex), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(ManifestKind.Docker, Core.Content.Compression.Gzip)]
    [InlineData(ManifestKind.Oci, Core.Content.Compression.Zstd)]
    public async Task Skopeo_reads_every_image_of_a_layout(ManifestKind kind, Core.Content.Compression compression)
    {
        FunctionImage[] functions = await BuildTwo(new BuildOptions { MediaType = kind, Compression = compression });
        FunctionImage function = functions[1];
        string source = $"oci:{await Save("layout", functions)}:{function.Name}";

        foreach (PlatformImage image in function.Images)
        {
            Assert.Equal(Text(image.Config), await ExternalTool.Run("skopeo", "--override-os", "linux", "--override-arch", image.Platform.Architecture, "inspect", "--config", "--raw", source));
        }

        string copy = _folder.Combine("copy");
        await ExternalTool.Run("skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests", source, $"dir:{copy}");
        Assert.Equal(Text(function.Index), await File.ReadAllTextAsync(Path.Combine(copy, "manifest.json"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Umoci_unpacks_the_image_of_each_platform()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "umoci runs on Linux.");
        FunctionImage function = await _folder.BuildTwoPlatforms(options: new BuildOptions { MediaType = ManifestKind.Oci });
        string path = await Save("layout", function);

        foreach (string architecture in new[] { "amd64", "arm64" })
        {
            // umoci takes layouts of one platform.
            string single = _folder.Combine($"single-{architecture}");
            string bundle = _folder.Combine($"bundle-{architecture}");
            await ExternalTool.Run("skopeo", "--insecure-policy", "--override-os", "linux", "--override-arch", architecture, "copy", "--quiet", $"oci:{path}:{function.Name}", $"oci:{single}:x");
            await ExternalTool.Run("umoci", "unpack", "--rootless", "--image", $"{single}:x", bundle);

            Assert.Equal(FunctionBuilds.Metadata.Yaml, await File.ReadAllTextAsync(Path.Combine(bundle, "rootfs", "package.yaml"), TestContext.Current.CancellationToken));
            Assert.True(File.Exists(Path.Combine(bundle, "rootfs", $"a-{architecture}")));
            Assert.True(File.Exists(Path.Combine(bundle, "rootfs", "shared")));
        }
    }

    [Fact]
    public async Task Umoci_unpacks_a_layout_of_one_platform()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "umoci runs on Linux.");
        FunctionImage function = await (await _folder.ImportGroup([new FixtureImage()])).Build(new BuildOptions { MediaType = ManifestKind.Oci });
        string path = await Save("layout", function);

        await ExternalTool.Run("umoci", "unpack", "--rootless", "--image", $"{path}:{function.Name}", _folder.Combine("bundle"));

        Assert.Equal(FunctionBuilds.Metadata.Yaml, await File.ReadAllTextAsync(Path.Combine(_folder.Combine("bundle"), "rootfs", "package.yaml"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Podman_loads_every_image_of_an_xpkg()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "podman runs on Linux.");
        FunctionImage function = await _folder.BuildTwoPlatforms();
        string path = await Save("all.xpkg", function);
        string[] storage = ["--root", _folder.Combine("storage"), "--runroot", _folder.Combine("run"), "--storage-driver", "vfs"];

        await ExternalTool.Run("podman", [.. storage, "load", "--quiet", "--input", path]);

        foreach (PlatformImage image in function.Images)
        {
            string tag = $"{function.Repository}:{image.Platform.Architecture}";
            JsonNode inspected = Assert.Single(JsonNode.Parse(await ExternalTool.Run("podman", [.. storage, "image", "inspect", tag]))!.AsArray())!;
            Assert.Equal(image.Config.Digest.Hex, (string?)inspected["Id"]);
            Assert.Equal(image.Platform.Architecture, (string?)inspected["Architecture"]);
            Assert.Equal(image.Layers.Select(l => l.DiffId.ToString()), inspected["RootFS"]!["Layers"]!.AsArray().Select(l => (string?)l));
            Assert.Equal(3, inspected["History"]!.AsArray().Count);
        }
    }

    private async Task<FunctionImage[]> BuildTwo(BuildOptions options) =>
        [await _folder.BuildTwoPlatforms("a", options), await _folder.BuildTwoPlatforms("b", options)];

    private async Task<string> Save(string name, params FunctionImage[] functions) =>
        (await ImageSaver.SaveAsync(functions, new SaveOptions { Path = _folder.Combine(name) }, null, TestContext.Current.CancellationToken)).FullName;

    private static string Text(Core.Content.Blob blob)
    {
        using var reader = new StreamReader(blob.OpenRead());
        return reader.ReadToEnd();
    }
}
