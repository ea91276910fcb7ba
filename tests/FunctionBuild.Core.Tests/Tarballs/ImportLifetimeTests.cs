using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>Imports that are cancelled, that run side by side, that lose their disk or their workspace.</summary>
public sealed class ImportLifetimeTests : IDisposable
{
    private static readonly FixtureImage Image = new() { Layers = [FixtureImage.Layer("base", 500_000), FixtureImage.Layer("middle", 300_000), FixtureImage.Layer("top")] };

    private readonly TestFolder _folder = new();

    public static TheoryData<string> Forms { get; } = ["plain", "gzip", "layers inside", "bzip2"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_cancelled_import_leaves_nothing(string form)
    {
        byte[] tarball = Form(form);
        foreach (double where in new[] { 0.0, 0.3, 0.7, 0.99 })
        {
            using var cancel = new CancellationTokenSource();
            using var input = new MeteredStream(tarball, most: 4096) { OnRead = position => CancelAfter(cancel, position, where * tarball.Length) };

            Assert.ThrowsAny<OperationCanceledException>(() => Import(input, cancel.Token));

            Assert.Equal(["lock"], TarballAssert.Files(_folder.Workspace));
            Assert.True(input.BytesGiven < (where * tarball.Length) + (512 * 1024), "It read on for long.");
        }

        Assert.Single(await _folder.Import(tarball));
    }

    [Fact]
    public async Task An_import_cancelled_before_it_starts_reads_nothing()
    {
        string path = _folder.Write("function.tar", Form("plain"));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TarballImporter.ImportAsync(_folder.Workspace, path, new ImportOptions(), null, new CancellationToken(canceled: true)));

        Assert.Equal(0, _folder.Workspace.BytesRead);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Removing_the_workspace_under_an_import_ends_it(string form)
    {
        byte[] tarball = Form(form);
        BuildWorkspace workspace = _folder.NewWorkspace();
        Task removal = Task.CompletedTask;
        using var input = new MeteredStream(tarball, most: 4096)
        {
            OnRead = position =>
            {
                if (position > tarball.Length / 2 && workspace.State == WorkspaceState.Open)
                {
                    removal = Task.Run(workspace.Dispose);
                    SpinWait.SpinUntil(() => workspace.State == WorkspaceState.Removed);
                }
            },
        };

        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => Import(input, TestContext.Current.CancellationToken, workspace));
        await removal;

        Assert.Equal("WorkspaceRemoved", error.ErrorId);
        Assert.Contains(workspace.Id, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace.Path));
        Assert.Equal("WorkspaceRemoved", (await Assert.ThrowsAsync<FunctionBuildException>(
            () => TarballImporter.ImportAsync(workspace, _folder.Write("again.tar", tarball), new ImportOptions(), null, TestContext.Current.CancellationToken))).ErrorId);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_disk_that_fails_is_said_to(string form)
    {
        byte[] tarball = Form(form);
        using var input = new MeteredStream(tarball, most: 4096) { FailAt = tarball.Length / 2 };

        TarballException error = Assert.Throws<TarballException>(() => Import(input, TestContext.Current.CancellationToken));

        Assert.Equal("TarballNotReadable", error.ErrorId);
        Assert.Contains("the disk failed", error.Message, StringComparison.Ordinal);
        Assert.Equal(["lock"], TarballAssert.Files(_folder.Workspace));
    }

    [Fact]
    public async Task A_workspace_that_cannot_be_written_is_said_to()
    {
        Directory.Delete(Path.Combine(_folder.Workspace.Path, "incoming"));

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => _folder.Import(Form("gzip")));

        Assert.Equal("WorkspaceWriteFailed", error.ErrorId);
    }

    [Fact]
    public async Task Imports_side_by_side_store_each_layer_once()
    {
        FixtureImage other = Image with { Layers = [.. Image.Layers.Take(2), FixtureImage.Layer("other", 200_000)] };
        FixtureImage[] images = [Image, other];
        string[] paths =
        [
            _folder.Write("0.tar.gz", Compress.Gzip(DockerArchive.Nix(Image).Build())),
            _folder.Write("1.tar.zst", Compress.Zstd(DockerArchive.Podman(other).Build())),
            _folder.Write("2.tar.gz", Compress.Gzip(DockerArchive.Legacy(Image).Build())),
            _folder.Write("3.tar.gz", Compress.Gzip(DockerArchive.Podman(other).Build())),
        ];
        string bad = _folder.Write("bad.tar.gz", Compress.Gzip(DockerArchive.Nix(Image).Build())[..^5]);

        for (int round = 0; round < 5; round++)
        {
            using BuildWorkspace workspace = _folder.NewWorkspace();
            Task<IReadOnlyList<RuntimeImage>> ImportOne(string path) => TarballImporter.ImportAsync(workspace, path, new ImportOptions(), null, TestContext.Current.CancellationToken);
            Task<IReadOnlyList<RuntimeImage>>[] good = [.. paths.Concat(paths).Select(ImportOne)];
            Task<IReadOnlyList<RuntimeImage>>[] failing = [ImportOne(bad), ImportOne(bad)];

            foreach (Task<IReadOnlyList<RuntimeImage>> import in failing)
            {
                Assert.Equal("TarballTruncated", (await Assert.ThrowsAsync<TarballException>(() => import)).ErrorId);
            }

            for (int i = 0; i < good.Length; i++)
            {
                RuntimeImage image = Assert.Single(await good[i]);
                Assert.Equal(images[i % 2].DiffIds, image.Layers.Select(l => l.DiffId));
                foreach (ImageLayer layer in image.Layers)
                {
                    using Stream stream = layer.Blob.OpenRead();
                    stream.CopyTo(Stream.Null);
                }
            }

            Assert.Equal(
                Image.DiffIds.Concat(other.DiffIds).Distinct().Select(d => Path.Combine("blobs", "sha256", d.Hex)).Append("lock").Order(StringComparer.Ordinal),
                TarballAssert.Files(workspace));
            Assert.Equal((8, 24, 4), (workspace.TarballsImported, workspace.LayersSeen, workspace.LayersStored));
            Assert.Equal(paths.Concat(paths).Append(bad).Append(bad).Sum(p => new FileInfo(p).Length), workspace.BytesRead);
        }
    }

    private static void CancelAfter(CancellationTokenSource cancel, long position, double limit)
    {
        if (position >= limit)
        {
            cancel.Cancel();
        }
    }

    private static byte[] Form(string name)
    {
        var layout = new OciLayout();
        layout.Root(layout.Image(Image));
        return name switch
        {
            "plain" => layout.Build().Build(),
            "gzip" => Compress.Gzip(DockerArchive.Nix(Image).Build()),
            "layers inside" => Compress.Gzip(DockerArchive.Ko(Image).Build()),
            "bzip2" => Compress.Bzip2(DockerArchive.Nix(Image).Build()),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    private IReadOnlyList<RuntimeImage> Import(Stream input, CancellationToken cancellation, BuildWorkspace? workspace = null) =>
        TarballImporter.Import(workspace ?? _folder.Workspace, _folder.Combine("function.tar"), input, new ImportOptions(), cancellation);
}
