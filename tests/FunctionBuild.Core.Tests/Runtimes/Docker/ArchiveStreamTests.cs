using System.Formats.Tar;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Runtimes.Docker;

/// <summary>What an engine is given to load.</summary>
public sealed class ArchiveStreamTests : IDisposable
{
    private const string Tag = "localhost/functionbuild:test";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Shapes => ["plain", "gzipped", "layers gzipped", "layers stored plain", "tarball gone"];

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Layers_are_plain_tars_however_they_came(string shape)
    {
        FixtureImage image = new() { Layers = [FixtureImage.Layer("base", 300_000), FixtureImage.Layer("top", 10)] };
        FunctionGroup group = await _folder.ImportGroup([image], tarball: i => shape switch
        {
            "gzipped" => Compress.Gzip(DockerArchive.Nix(i).Build()),
            "layers gzipped" => DockerArchive.Ko(i).Build(),
            _ => DockerArchive.Nix(i).Build(),
        });
        FunctionImage function = await group.Build(new BuildOptions { Compression = shape == "layers stored plain" ? Compression.None : Compression.Gzip });
        if (shape == "tarball gone")
        {
            File.Delete(_folder.Combine("function-a-0.tar"));
        }

        string path = await Write(function);

        Digest[] diffIds = [.. function.Images[0].Layers.Select(l => l.DiffId)];
        Assert.Equal([.. image.DiffIds, diffIds[^1]], diffIds);
        Assert.Equal([.. diffIds.Select(d => $"{d.Hex}.tar").Order()], [.. LayerNames(path).Order()]);

        // The import verifies each layer's digest.
        RuntimeImage loaded = Assert.Single(await _folder.Import(path));
        Assert.Equal(diffIds, loaded.Layers.Select(l => l.DiffId));
        Assert.All(loaded.Layers, l => Assert.Equal(Compression.None, l.Compression));
        Assert.Equal(function.Images[0].Config.Digest, loaded.Config.Digest);
        Assert.Equal([Tag], loaded.Tags);
    }

    [Fact]
    public async Task An_archive_that_nobody_reads_to_its_end_is_given_up()
    {
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage { Layers = [FixtureImage.Layer("big", 20_000_000)] }]);
        FunctionImage function = await group.Build(new BuildOptions { Compression = Compression.None });
        var archive = new ArchiveStream(Tag, function.Images[0], null, TestContext.Current.CancellationToken);
        await archive.Content.ReadExactlyAsync(new byte[1000], TestContext.Current.CancellationToken);

        await archive.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        Assert.False(archive.IsComplete);
        Assert.Null(archive.Failure);
    }

    private async Task<string> Write(FunctionImage function)
    {
        string path = _folder.Combine("loaded.tar");
        var archive = new ArchiveStream(Tag, function.Images[0], null, TestContext.Current.CancellationToken);
        await using (archive)
        {
            await using FileStream file = File.Create(path);
            await archive.Content.CopyToAsync(file, TestContext.Current.CancellationToken);
        }

        Assert.True(archive.IsComplete);
        return path;
    }

    private static List<string> LayerNames(string path)
    {
        using var tar = new TarReader(File.OpenRead(path));
        var names = new List<string>();
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name.Contains(".tar", StringComparison.Ordinal))
            {
                names.Add(entry.Name);
            }
        }

        return names;
    }
}
