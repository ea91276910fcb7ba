using System.Formats.Tar;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>Archives made by the real tools of the field import as what those tools themselves say is in them.</summary>
public sealed class RealToolTests : IDisposable
{
    private static readonly FixtureImage Image = new()
    {
        Tags = ["localhost/function-hello:v1"],
        Layers = [FixtureImage.Layer("base", 200_000), FixtureImage.Layer("app", 5_000), FixtureImage.Layer("top")],
    };

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_docker_archive_of_skopeo_imports()
    {
        await Skopeo("copy", Source(), "docker-archive:" + Output + ":localhost/function-hello:v1");

        await AssertImports("docker-archive:" + Output, Compression.None, "localhost/function-hello:v1");
    }

    [Theory]
    [InlineData("gzip", Compression.Gzip)]
    [InlineData("zstd", Compression.Zstd)]
    public async Task An_OCI_archive_of_skopeo_imports(string format, Compression compression)
    {
        await Skopeo("copy", "--dest-compress-format", format, Source(), "oci-archive:" + Output + ":v1");

        await AssertImports("oci-archive:" + Output, compression, "v1");
    }

    [Fact]
    public async Task Skopeo_reads_what_the_fixtures_make()
    {
        // The fixtures claim to be what the tools write; a tool must be able to read them.
        foreach (TarBuilder tar in new[] { DockerArchive.Nix(Image), DockerArchive.Legacy(Image), DockerArchive.Podman(Image) })
        {
            File.WriteAllBytes(Output, tar.Build());
            await AssertImports("docker-archive:" + Output, Compression.None, [.. Image.Tags]);
        }
    }

    [Fact]
    public async Task A_layout_of_umoci_imports()
    {
        string layout = _folder.Combine("layout");
        await Skopeo("copy", Source(), $"oci:{layout}:v1");
        await Tool.Run("umoci", "config", "--image", $"{layout}:v1", "--config.label", "made.by=umoci");
        TarFile.CreateFromDirectory(layout, Output, includeBaseDirectory: false);

        RuntimeImage image = await AssertImports($"oci:{layout}:v1", Compression.Gzip, "v1");

        Assert.Equal("umoci", image.Config.Labels["made.by"]);
    }

    [Theory]
    [InlineData("docker-archive", Compression.None, "localhost/function-hello:v1")]
    [InlineData("oci-archive", Compression.Gzip, "localhost/function-hello:v1")]
    public async Task An_archive_that_buildah_pushed_imports(string transport, Compression compression, string tag)
    {
        await Buildah("pull", Source());
        await Buildah("push", "localhost/function-hello:v1", $"{transport}:{Output}:localhost/function-hello:v1");

        await AssertImports($"{transport}:{Output}", compression, tag);
    }

    [Theory]
    [InlineData("docker-archive", Compression.None)]
    [InlineData("oci-archive", Compression.Gzip)]
    public async Task An_archive_that_podman_saved_imports(string format, Compression compression)
    {
        await Podman("load", "--input", Source()["docker-archive:".Length..]);
        await Podman("save", "--format", format, "--output", Output, "localhost/function-hello:v1");

        await AssertImports($"{format}:{Output}", compression, "localhost/function-hello:v1");
    }

    [Fact]
    public async Task Several_images_that_podman_saved_in_one_archive_import()
    {
        FixtureImage other = Image with { Tags = ["localhost/function-other:v2"], Layers = [Image.Layers[0], FixtureImage.Layer("other")] };
        await Podman("load", "--input", _folder.Write("two.tar", DockerArchive.Nix(Image, other).Build()));
        await Podman("save", "--multi-image-archive", "--output", Output, "localhost/function-hello:v1", "localhost/function-other:v2");

        IReadOnlyList<RuntimeImage> images = await _folder.Import(Output);

        Assert.Equal(["function-hello", "function-other"], images.Select(i => i.Name).Order(StringComparer.Ordinal));
        Assert.All(images, i => Assert.Contains(i.Config.Digest, new[] { Image.ConfigDigest, other.ConfigDigest }));
    }

    [Theory]
    [InlineData("pigz", "-nTR")]
    [InlineData("pigz", "-i", "-b", "128")]
    [InlineData("gzip", "-9")]
    [InlineData("zstd", "-19")]
    [InlineData("zstd", "-T2", "--rsyncable")]
    [InlineData("xz", "-1")]
    [InlineData("xz", "-9e", "--check=sha256")]
    [InlineData("xz", "-T2", "--block-size=64KiB")]
    [InlineData("xz", "--x86", "--lzma2")]
    [InlineData("bzip2", "-1")]
    public async Task A_tarball_compressed_by_a_real_tool_imports(string tool, params string[] arguments)
    {
        // More than the encoders' blocks of bzip2 -1 and of the readers, with repetition.
        FixtureImage image = Image with { Layers = [FixtureImage.Layer("large", 400_000), new TarBuilder().File("zeros", new byte[500_000]).Build()] };
        string tar = _folder.Write("function.tar", DockerArchive.Nix(image).Build());
        byte[] once = await Tool.Run(tool, [.. arguments, "--stdout", tar]);

        // Every one of these formats may be concatenated.
        byte[] twice = [.. await Tool.Run(tool, [.. arguments, "--stdout", _folder.Write("a", DockerArchive.Nix(image).BuildWithoutEnd())]), .. await Tool.Run(tool, [.. arguments, "--stdout", _folder.Write("b", new byte[10240])])];

        foreach (byte[] compressed in new[] { once, twice })
        {
            RuntimeImage imported = Assert.Single(await _folder.Import(compressed, "function.tar.compressed"));
            Assert.Equal(image.ConfigDigest, imported.Config.Digest);
            Assert.Equal(image.DiffIds, imported.Layers.Select(l => l.DiffId));
        }
    }

    [Fact]
    public async Task A_tarball_compressed_by_lz4_is_refused_by_name()
    {
        byte[] compressed = await Tool.Run("lz4", "-c", _folder.Write("function.tar", DockerArchive.Nix(Image).Build()));

        Assert.Contains("lz4", (await TarballAssert.Refused(_folder, "UnknownCompression", compressed)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gnu")]
    [InlineData("oldgnu")]
    [InlineData("pax")]
    [InlineData("ustar")]
    [InlineData("v7")]
    public async Task A_layout_packed_by_GNU_tar_imports(string format)
    {
        string layout = _folder.Combine("layout");
        using (var tar = new MemoryStream(DockerArchive.Podman(Image).Build()))
        {
            await TarFile.ExtractToDirectoryAsync(tar, Directory.CreateDirectory(layout).FullName, overwriteFiles: false, TestContext.Current.CancellationToken);
        }

        await Tool.Run("tar", $"--format={format}", "-C", layout, "-cf", Output, ".");

        Assert.Equal(Image.DiffIds, Assert.Single(await _folder.Import(Output)).Layers.Select(l => l.DiffId));
    }

    [Fact]
    public async Task A_sparse_file_packed_by_GNU_tar_is_refused_by_name()
    {
        string path = _folder.Combine("holes.tar");
        using (FileStream holes = File.Create(path))
        {
            holes.SetLength(10_000_000);
        }

        foreach (string format in new[] { "gnu", "pax" })
        {
            await Tool.Run("tar", "--sparse", $"--format={format}", "-C", _folder.Path, "-cf", Output, "holes.tar");

            Assert.Contains("sparse", (await TarballAssert.Refused(_folder, "EntryTypeUnsupported", Output)).Message, StringComparison.Ordinal);
        }
    }

    private string Output => _folder.Combine("function-hello-amd64.tar");

    private string Source() => "docker-archive:" + _folder.Write("source.tar", DockerArchive.Podman(Image).Build());

    private static Task<byte[]> Skopeo(params string[] arguments) => Tool.Run("skopeo", ["--insecure-policy", .. arguments]);

    // Storage of its own, so that a test leaves nothing in the user's.
    private Task<byte[]> Buildah(params string[] arguments) => Tool.Run("buildah", [.. Storage, .. arguments]);

    private Task<byte[]> Podman(params string[] arguments) => Tool.Run("podman", [.. Storage, .. arguments]);

    private string[] Storage => ["--root", _folder.Combine("storage"), "--runroot", _folder.Combine("run"), "--storage-driver", "vfs"];

    /// <summary>Imports the output and compares it with what skopeo says of it, and with what went in.</summary>
    private async Task<RuntimeImage> AssertImports(string reference, Compression compression, params string[] tags)
    {
        byte[] config = await Skopeo("inspect", "--config", "--raw", reference);

        RuntimeImage image = Assert.Single(await _folder.Import(Output));

        Assert.Equal(Digest.Of(config), image.Config.Digest);
        Assert.Equal(Image.DiffIds, image.Layers.Select(l => l.DiffId));
        Assert.Equal(Image.Layers.Select(l => (long)l.Length), image.Layers.Select(l => l.Size));
        Assert.All(image.Layers, l => Assert.Equal(compression, l.Compression));
        Assert.Equal(tags, image.Tags);
        Assert.Equal("function-hello", image.Name);
        return image;
    }
}
