using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>A temporary folder with a workspace in it; both go when the test ends.</summary>
internal sealed class TestFolder : IDisposable
{
    private readonly Lazy<BuildWorkspace> _workspace;

    public TestFolder() => _workspace = new Lazy<BuildWorkspace>(NewWorkspace);

    public string Path { get; } = Directory.CreateTempSubdirectory("functionbuild-test-").FullName;

    /// <summary>The folder's workspace, made when it is first asked for.</summary>
    public BuildWorkspace Workspace => _workspace.Value;

    /// <summary>One more workspace; the caller disposes of it.</summary>
    public BuildWorkspace NewWorkspace() => BuildWorkspace.Create(Combine("workspaces"));

    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file and returns its path.</summary>
    public string Write(string name, byte[] content)
    {
        File.WriteAllBytes(Combine(name), content);
        return Combine(name);
    }

    /// <summary>Imports a tarball into the folder's workspace.</summary>
    public Task<IReadOnlyList<RuntimeImage>> Import(string path, ImportOptions? options = null) =>
        TarballImporter.ImportAsync(Workspace, path, options ?? new ImportOptions(), null, TestContext.Current.CancellationToken);

    /// <summary>Writes a tarball and imports it into the folder's workspace.</summary>
    public Task<IReadOnlyList<RuntimeImage>> Import(byte[] tarball, string name = "function.tar", ImportOptions? options = null) =>
        Import(Write(name, tarball), options);

    public void Dispose()
    {
        if (_workspace.IsValueCreated)
        {
            _workspace.Value.Dispose();
        }

        Directory.Delete(Path, recursive: true);
    }
}
