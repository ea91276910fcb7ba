using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>What must hold of every import that fails.</summary>
internal static class TarballAssert
{
    /// <summary>The tarball is refused with that error, nothing of it stays, and a good one imports afterwards.</summary>
    public static async Task<FunctionBuildException> Refused(TestFolder folder, string errorId, string path, ImportOptions? options = null)
    {
        string[] before = Files(folder.Workspace);

        FunctionBuildException error = await Assert.ThrowsAnyAsync<FunctionBuildException>(() => folder.Import(path, options));

        Assert.True(errorId == error.ErrorId, $"Expected {errorId}, not {error.ErrorId}: {error.Message}");
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Files(folder.Workspace));
        Assert.Single(await folder.Import(DockerArchive.Nix(new FixtureImage()).Build(), "good.tar"));
        return error;
    }

    public static Task<FunctionBuildException> Refused(TestFolder folder, string errorId, byte[] tarball, ImportOptions? options = null, string name = "bad.tar") =>
        Refused(folder, errorId, folder.Write(name, tarball), options);

    public static Task<FunctionBuildException> Refused(TestFolder folder, string errorId, TarBuilder tarball) => Refused(folder, errorId, tarball.Build());

    /// <summary>The names of a workspace's files, relative to it, in order.</summary>
    public static string[] Files(BuildWorkspace workspace) =>
        [.. Directory.EnumerateFiles(workspace.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(workspace.Path, f)).Order(StringComparer.Ordinal)];
}
