using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>Each input is read once, from its first byte to its last; what it shares with others is stored once; the counters say so.</summary>
public sealed class OnePassTests : IDisposable
{
    private static readonly FixtureImage Image = new() { Layers = [FixtureImage.Layer("base", 20_000), FixtureImage.Layer("middle", 5_000), FixtureImage.Layer("top")] };

    private readonly TestFolder _folder = new();

    public static TheoryData<string, string> Inputs
    {
        get
        {
            var inputs = new TheoryData<string, string>();
            foreach (string shape in new[] { "Nix", "manifest first", "Legacy", "Podman", "Ko", "OCI", "OCI and manifest" })
            {
                foreach (string codec in new[] { "none", "gzip", "gzip, 3 members", "gzip, zero padding", "zstd", "xz, 3 blocks", "bzip2" })
                {
                    inputs.Add(shape, codec);
                }
            }

            return inputs;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Every_byte_is_read_once_in_order(string shape, string codec)
    {
        byte[] tar = Shape(shape).Build();
        byte[] file = codec == "none" ? tar : Codec.Encode(codec, tar);
        using var input = new MeteredStream(file, most: 1000);

        // The stream cannot seek, so every byte that it gives is given once.
        IReadOnlyList<RuntimeImage> images = TarballImporter.Import(_folder.Workspace, _folder.Write("function.tar", file), input, new ImportOptions(), TestContext.Current.CancellationToken);

        Assert.Equal(Image.DiffIds, Assert.Single(images).Layers.Select(l => l.DiffId));
        Assert.Equal(file.Length, input.BytesGiven);
        Assert.Equal(file.Length, _folder.Workspace.BytesRead);
        long layersInside = shape == "Ko" ? Image.Layers.Sum(l => (long)l.Length) : 0;
        Assert.Equal((codec == "none" ? 0 : tar.Length) + layersInside, _folder.Workspace.BytesDecompressed);
        Assert.Equal((1, 3, 3, 0), Counters(_folder.Workspace));
    }

    [Fact]
    public async Task Layers_of_a_plain_tarball_stay_where_they_are()
    {
        string path = _folder.Write("function.tar", DockerArchive.Nix(Image).Build());

        RuntimeImage image = Assert.Single(await _folder.Import(path));

        Assert.Equal(["lock"], TarballAssert.Files(_folder.Workspace));
        Assert.All(image.Layers, l => Assert.Equal((path, true), (l.Blob.FilePath, l.Blob.IsSlice)));
        Assert.Equal(Image.Layers, image.Layers.Select(l => ReadAll(l.Blob)));
    }

    [Fact]
    public async Task Slices_are_found_behind_every_kind_of_header()
    {
        byte[][] layers = [.. Enumerable.Range(0, 9).Select(i => FixtureImage.Layer($"layer {i}", 100 + (i * 77)))];
        FixtureImage image = Image with { Layers = layers };
        string longName = string.Concat(Enumerable.Repeat("long/", 60));
        TarBuilder tar = new TarBuilder().GlobalPax(("comment", "made by a test"))
            .File("odd", new byte[1]).GnuLongName(longName + "0").File("0", layers[0])
            .Pax(("path", longName + "1")).File("1", layers[1])
            .Pax(("path", longName + "2"), ("size", $"{layers[2].Length}")).Entry(new TarHeader("2") { Size = 0 }, layers[2])
            .File("odd2", new byte[513]).Entry(new TarHeader("3") { Prefix = "prefix", Size = layers[3].Length }, layers[3])
            .Entry(new TarHeader("4") { Magic = new string('\0', 8), Type = '\0', Size = layers[4].Length }, layers[4])
            .GnuLongLink("4").HardLink("hard", "x").Entry(new TarHeader("5") { Type = '7', Size = layers[5].Length }, layers[5])
            .Entry(new TarHeader("6") { SizeField = Binary(layers[6].Length), Magic = "ustar  \0" }, layers[6])
            .Pax(("path", "pad" + new string('x', 490))).File("exactly one block", layers[7])
            .GnuLongName(new string('y', 511)).File("exactly one block", layers[8])
            .File("c.json", image.Config)
            .File("manifest.json", DockerArchive.Manifest("c.json", [], [longName + "0", longName + "1", longName + "2", "prefix/3", "hard", "5", "6", "pad" + new string('x', 490), new string('y', 511)]));

        RuntimeImage imported = Assert.Single(await _folder.Import(tar.Build()));

        Assert.Equal(layers, imported.Layers.Select(l => ReadAll(l.Blob)));
        Assert.All(imported.Layers, l => Assert.True(l.Blob.IsSlice));
    }

    [Fact]
    public async Task A_plain_tarball_changed_or_cut_afterwards_is_noticed()
    {
        byte[] tarball = DockerArchive.Nix(Image).Build();
        string path = _folder.Write("function.tar", tarball);
        ImageLayer layer = Assert.Single(await _folder.Import(path)).Layers[0];

        byte[] changed = [.. tarball];
        changed[layer.Blob.Offset + layer.Blob.Length - 1] ^= 1;
        foreach (byte[] content in new[] { changed, tarball[..(int)(layer.Blob.Offset + 10)], [] })
        {
            File.WriteAllBytes(path, content);
            FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => ReadAll(layer.Blob));
            Assert.Equal("BlobChanged", error.ErrorId);
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }

        File.Delete(path);
        Assert.Equal("BlobChanged", Assert.Throws<FunctionBuildException>(() => ReadAll(layer.Blob)).ErrorId);
    }

    [Fact]
    public async Task Layers_that_tarballs_share_are_stored_once()
    {
        FixtureImage other = Image with { Layers = [.. Image.Layers.Take(2), FixtureImage.Layer("another top")] };

        await _folder.Import(Compress.Gzip(DockerArchive.Nix(Image).Build()), "one.tar.gz");
        await _folder.Import(Compress.Zstd(DockerArchive.Podman(other).Build()), "two.tar.zst");

        Assert.Equal((2, 6, 4, Image.Layers.Take(2).Sum(l => (long)l.Length)), Counters(_folder.Workspace));
        Assert.Equal(
            Image.DiffIds.Concat(other.DiffIds).Distinct().Select(d => d.Hex).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Path.Combine(_folder.Workspace.Path, "blobs", "sha256")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_layer_that_one_image_uses_twice_is_shared()
    {
        FixtureImage twice = Image with { Layers = [Image.Layers[1], Image.Layers[1]] };

        await _folder.Import(Compress.Gzip(DockerArchive.Legacy(twice).Build()));

        Assert.Equal((1, 2, 1, (long)Image.Layers[1].Length), Counters(_folder.Workspace));
    }

    [Fact]
    public async Task A_plain_tarball_uses_what_the_workspace_has_already()
    {
        await _folder.Import(Compress.Gzip(DockerArchive.Nix(Image).Build()), "one.tar.gz");
        RuntimeImage plain = Assert.Single(await _folder.Import(DockerArchive.Nix(Image).Build(), "two.tar"));

        Assert.All(plain.Layers, l => Assert.False(l.Blob.IsSlice));
        Assert.Equal((2, 6, 3, Image.Layers.Sum(l => (long)l.Length)), Counters(_folder.Workspace));
    }

    [Fact]
    public async Task A_layer_that_was_only_referenced_is_stored_when_it_must_be()
    {
        await _folder.Import(DockerArchive.Nix(Image).Build(), "one.tar");
        await _folder.Import(Compress.Gzip(DockerArchive.Nix(Image).Build()), "two.tar.gz");

        Assert.Equal((2, 6, 6, 0), Counters(_folder.Workspace));
    }

    [Fact]
    public async Task A_layer_that_this_workspace_compressed_imports_as_compressed()
    {
        foreach (byte[] layer in Image.Layers)
        {
            _folder.Workspace.Blobs.Put(Compress.Gzip(layer));
        }

        foreach (byte[] tarball in new[] { DockerArchive.Ko(Image).Build(), Compress.Gzip(DockerArchive.Ko(Image).Build()) })
        {
            RuntimeImage imported = Assert.Single(await _folder.Import(tarball));

            Assert.All(imported.Layers, l => Assert.Equal(Compression.Gzip, l.Compression));
            Assert.Equal(Image.DiffIds, imported.Layers.Select(l => l.DiffId));
        }
    }

    [Fact]
    public async Task A_failed_import_counts_what_it_read_and_nothing_else()
    {
        byte[] cut = Compress.Gzip(DockerArchive.Nix(Image).Build())[..^9];

        await Assert.ThrowsAsync<TarballException>(() => _folder.Import(cut));

        Assert.Equal((0, 0, 0, 0), Counters(_folder.Workspace));
        Assert.Equal(cut.Length, _folder.Workspace.BytesRead);
    }

    [Fact]
    public async Task Progress_tells_bytes_read_of_all()
    {
        string path = _folder.Write("function.tar.gz", Compress.Gzip(DockerArchive.Nix(Image).Build()));
        var progress = new ImportProgress();

        await TarballImporter.ImportAsync(_folder.Workspace, path, new ImportOptions(), progress, TestContext.Current.CancellationToken);

        Assert.Equal((new FileInfo(path).Length, new FileInfo(path).Length), (progress.BytesRead, progress.TotalBytes));
    }

    private static TarBuilder Shape(string name)
    {
        var layout = new OciLayout();
        layout.Root(layout.Image(Image));
        return name switch
        {
            "Nix" => DockerArchive.Nix(Image),
            "manifest first" => new TarBuilder()
                .File("manifest.json", DockerArchive.Manifest([Image], _ => "config.json", l => $"{Digest.Of(l).Hex}.tar"))
                .File("config.json", Image.Config)
                .File($"{Image.DiffIds[0].Hex}.tar", Image.Layers[0]).File($"{Image.DiffIds[1].Hex}.tar", Image.Layers[1]).File($"{Image.DiffIds[2].Hex}.tar", Image.Layers[2]),
            "Legacy" => DockerArchive.Legacy(Image),
            "Podman" => DockerArchive.Podman(Image),
            "Ko" => DockerArchive.Ko(Image),
            "OCI" => layout.Build(),
            "OCI and manifest" => DockerArchive.WithLayout(layout, Image),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    private static (long, long, long, long) Counters(BuildWorkspace workspace) =>
        (workspace.TarballsImported, workspace.LayersSeen, workspace.LayersStored, workspace.BytesShared);

    private static byte[] Binary(int size)
    {
        byte[] field = new byte[12];
        field[0] = 0x80;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(field.AsSpan(8), size);
        return field;
    }

    private static byte[] ReadAll(Blob blob)
    {
        using Stream stream = blob.OpenRead();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
