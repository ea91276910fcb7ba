using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

public sealed class ArchiveShapeTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_Nix_archive_with_the_manifest_last_imports()
    {
        var image = new FixtureImage { Tags = ["function-hello:v1"] };

        RuntimeImage imported = Assert.Single(await _folder.Import(DockerArchive.Nix(image).Build()));

        Assert.Equal(image.ConfigDigest, imported.Config.Digest);
        Assert.Equal(image.DiffIds, imported.Layers.Select(l => l.DiffId));
    }
}
