using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>Every shape of image tarball that the field's tools write.</summary>
public sealed class ArchiveShapeTests : IDisposable
{
    private static readonly FixtureImage Image = new() { Tags = ["registry.example/function-hello:v1", "function-hello:latest"] };
    private static readonly FixtureImage Arm = new() { Architecture = "arm64", Layers = [FixtureImage.Layer("base"), FixtureImage.Layer("arm")] };

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Nix_puts_the_manifest_last()
    {
        RuntimeImage imported = Assert.Single(await _folder.Import(DockerArchive.Nix(Image).Build()));

        AssertSame(Image, imported);
        Assert.Equal("function", imported.Name);
        Assert.Equal(new Platform("linux", "amd64"), imported.Platform);
        Assert.Equal(["/function"], imported.Config.Entrypoint);
    }

    [Fact]
    public async Task Nix_compresses_with_pigz()
    {
        foreach (byte[] tarball in new[] { Compress.Gzip(DockerArchive.Nix(Image).Build(), 5), [.. Compress.Gzip(DockerArchive.Nix(Image).Build()), .. new byte[512]] })
        {
            AssertSame(Image, Assert.Single(await _folder.Import(tarball, "function-amd64.tar.gz")));
        }
    }

    [Fact]
    public async Task Docker_before_25_repeats_a_layer_as_a_link()
    {
        FixtureImage image = Image with { Layers = [FixtureImage.Layer("a"), FixtureImage.Layer("b"), FixtureImage.Layer("a")] };

        AssertSame(image, Assert.Single(await _folder.Import(DockerArchive.Legacy(image).Build())));
    }

    [Fact]
    public async Task Docker_since_25_writes_a_layout_with_a_manifest()
    {
        var layout = new OciLayout();
        layout.Root(layout.Image(Image), "v1");

        RuntimeImage imported = Assert.Single(await _folder.Import(DockerArchive.WithLayout(layout, Image).Build()));

        AssertSame(Image, imported, ["v1", .. Image.Tags]);
    }

    [Fact]
    public async Task Containerd_lists_platforms_that_it_did_not_save()
    {
        var layout = OciLayout.Gzip();
        var saved = layout.Image(Image);
        var absent = new OciLayout().Image(Arm);
        layout.Root(layout.Index(saved, absent, layout.Attestation(saved)), "v1");

        RuntimeImage imported = Assert.Single(await _folder.Import(DockerArchive.WithLayout(layout, Image).Build()));

        AssertSame(Image, imported, ["v1", .. Image.Tags]);
        Assert.All(imported.Layers, l => Assert.Equal(Compression.Gzip, l.Compression));
    }

    [Fact]
    public async Task Podman_skopeo_and_buildah_name_layers_by_diff_ID() =>
        AssertSame(Image, Assert.Single(await _folder.Import(DockerArchive.Podman(Image).Build())));

    [Theory]
    [InlineData("sha256:")]
    [InlineData("")]
    public async Task Ko_and_crane_compress_the_layers(string prefix)
    {
        RuntimeImage imported = Assert.Single(await _folder.Import(DockerArchive.Ko(Image, prefix).Build()));

        AssertSame(Image, imported);
        Assert.All(imported.Layers.Zip(Image.Layers), pair =>
        {
            Assert.Equal(Compression.Gzip, pair.First.Compression);
            Assert.Equal(Digest.Of(Compress.Gzip(pair.Second)), pair.First.Blob.Digest);
        });
    }

    [Fact]
    public async Task Several_images_in_one_archive_are_named_by_their_tags()
    {
        FixtureImage one = Image with { Tags = ["example/function-one:v1"] };
        FixtureImage two = Image with { Tags = ["localhost:5000/function-two@sha256"], Layers = [FixtureImage.Layer("two")] };

        IReadOnlyList<RuntimeImage> imported = await _folder.Import(DockerArchive.Nix(one, two).Build());

        Assert.Equal(["function-one", "function-two"], imported.Select(i => i.Name));
        AssertSame(one, imported[0]);
        AssertSame(two, imported[1]);
    }

    [Fact]
    public async Task Several_platforms_in_one_archive_are_one_function()
    {
        IReadOnlyList<RuntimeImage> imported = await _folder.Import(DockerArchive.Podman(Image, Arm).Build());

        Assert.Equal(["function", "function"], imported.Select(i => i.Name));
        Assert.Equal(["amd64", "arm64"], imported.Select(i => i.Platform.Architecture));
    }

    [Fact]
    public async Task One_image_listed_under_each_of_its_tags_is_one_image()
    {
        FixtureImage one = Image with { Tags = ["a:1"] };
        FixtureImage again = Image with { Tags = ["b:2", "a:1"] };

        AssertSame(Image, Assert.Single(await _folder.Import(DockerArchive.Nix(one, again).Build())), ["a:1", "b:2"]);
    }

    [Fact]
    public async Task A_layout_may_nest_indexes_and_hold_several_platforms()
    {
        foreach ((OciLayout layout, Compression compression) in new[] { (new OciLayout(), Compression.None), (OciLayout.Gzip(), Compression.Gzip), (OciLayout.Zstd(), Compression.Zstd) })
        {
            var amd = layout.Image(Image);
            var arm = layout.Image(Arm);
            layout.Root(layout.Index(layout.Index(amd, layout.Attestation(amd)), layout.Index(arm, layout.Attestation(arm))), "v2");

            IReadOnlyList<RuntimeImage> imported = await _folder.Import(layout.Build().Build());

            Assert.Equal(2, imported.Count);
            AssertSame(Image, imported[0], ["v2"]);
            AssertSame(Arm, imported[1], ["v2"]);
            Assert.All(imported.SelectMany(i => i.Layers), l => Assert.Equal(compression, l.Compression));
        }
    }

    [Fact]
    public async Task One_image_of_a_layout_may_have_several_tags()
    {
        var layout = new OciLayout();
        JsonObject image = layout.Image(Image);
        JsonObject index = layout.Index(image);
        layout.Root(image, "v1").Root(image, "latest").Root(index, "v2").Root(index, "v3").Root(image, "v1");

        AssertSame(Image, Assert.Single(await _folder.Import(layout.Build().Build())), ["v1", "latest", "v2", "v3"]);
    }

    [Fact]
    public async Task Artifacts_that_are_no_images_are_passed_over()
    {
        var layout = new OciLayout();
        layout.Root(layout.Image(Image)).Root(layout.Image(Arm, "application/vnd.example.chart.v1+json")).Root(layout.Blob("{}"u8.ToArray(), "application/vnd.example.signature"));

        AssertSame(Image, Assert.Single(await _folder.Import(layout.Build().Build())), []);
    }

    [Fact]
    public async Task Layouts_with_Docker_media_types_import()
    {
        var layout = new OciLayout();
        layout.Root(layout.Image(Image, MediaTypes.DockerConfig));

        AssertSame(Image, Assert.Single(await _folder.Import(layout.Build().Build())), []);
    }

    [Fact]
    public async Task Names_may_begin_with_a_dot_and_a_slash()
    {
        byte[] layer = FixtureImage.Layer("only");
        FixtureImage image = Image with { Layers = [layer], Tags = [] };
        TarBuilder tar = new TarBuilder().Directory("./").File("./layer.tar", layer).File(".//config.json", image.Config)
            .File("./manifest.json", DockerArchive.Manifest("config.json", [], ["layer.tar"]));

        AssertSame(image, Assert.Single(await _folder.Import(tar.Build())));
    }

    [Fact]
    public async Task A_layer_may_be_a_hard_link_or_lie_behind_a_linked_folder()
    {
        byte[] layer = FixtureImage.Layer("only");
        FixtureImage image = Image with { Layers = [layer, layer, layer], Tags = [] };
        TarBuilder tar = new TarBuilder().File("real/layer.tar", layer).HardLink("hard.tar", "real/layer.tar").SymbolicLink("folder", "./real")
            .File("config.json", image.Config)
            .File("manifest.json", DockerArchive.Manifest("config.json", [], ["real/layer.tar", "hard.tar", "folder/layer.tar"]));

        AssertSame(image, Assert.Single(await _folder.Import(tar.Build())));
    }

    [Fact]
    public async Task An_image_without_layers_imports()
    {
        FixtureImage image = Image with { Layers = [] };

        AssertSame(image, Assert.Single(await _folder.Import(DockerArchive.Nix(image).Build())));
    }

    [Fact]
    public async Task A_layer_that_begins_like_JSON_is_a_layer_all_the_same()
    {
        FixtureImage image = Image with { Layers = [FixtureImage.Layer("[bracket]"), FixtureImage.Layer("{brace}")] };

        RuntimeImage imported = Assert.Single(await _folder.Import(DockerArchive.Nix(image).Build()));

        AssertSame(image, imported);
    }

    [Fact]
    public async Task The_same_file_twice_is_accepted()
    {
        byte[] tarball = new TarBuilder().Raw(DockerArchive.Podman(Image).BuildWithoutEnd()).Raw(DockerArchive.Podman(Image).Build()).Build();

        AssertSame(Image, Assert.Single(await _folder.Import(tarball)));
    }

    [Fact]
    public async Task What_follows_the_end_mark_does_not_matter() =>
        AssertSame(Image, Assert.Single(await _folder.Import([.. DockerArchive.Nix(Image).Build(), .. new byte[9000], .. "blocking factor"u8])));

    [Fact]
    public async Task A_config_keeps_what_is_not_known_of_it()
    {
        var config = Image.ConfigObject();
        config["variant"] = "v3";
        config["moby.buildkit.buildinfo.v1"] = "x";
        FixtureImage image = Image with { Config = Encoding.UTF8.GetBytes(config.ToJsonString(new() { WriteIndented = true })) };

        RuntimeImage imported = Assert.Single(await _folder.Import(DockerArchive.Nix(image).Build()));

        Assert.Equal(image.Config, imported.Config.Json.ToArray());
        Assert.Equal("linux/amd64/v3", imported.Platform.ToString());
    }

    /// <summary>Compares what was imported with what was saved, down to the bytes of the layers.</summary>
    private static void AssertSame(FixtureImage expected, RuntimeImage actual, IReadOnlyList<string>? tags = null)
    {
        Assert.Equal(expected.ConfigDigest, actual.Config.Digest);
        Assert.Equal(tags ?? expected.Tags, actual.Tags);
        Assert.Equal(expected.DiffIds, actual.Layers.Select(l => l.DiffId));
        Assert.Equal(expected.Layers.Select(l => (long)l.Length), actual.Layers.Select(l => l.Size));
        Assert.Equal(expected.Layers, actual.Layers.Select(Unpack));
    }

    private static byte[] Unpack(ImageLayer layer)
    {
        using Stream blob = layer.Blob.OpenRead();
        using Stream content = layer.Compression == Compression.None ? blob : Codecs.OpenDecoder(layer.Compression, blob);
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }
}
