using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Shell;

/// <summary>The module beside one that carries other versions of the same libraries.</summary>
public sealed class LoadContextTests : IDisposable
{
    private const string Other = "Test-OtherLibrary";

    // A bzip2 tarball needs SharpCompress, a crossplane.yaml YamlDotNet.
    private const string Ours = "(Import-FunctionTarball $folder/function-amd64.tar.bz2 | Build-FunctionImage example.com/function -MetadataPath $folder/crossplane.yaml).Package.Name";

    private readonly TestFolder _folder = new();

    public LoadContextTests()
    {
        _folder.Write("function-amd64.tar.bz2", Compress.Bzip2(DockerArchive.Nix(new FixtureImage()).Build()));
        File.WriteAllText(_folder.Combine("crossplane.yaml"), """
            apiVersion: meta.pkg.crossplane.io/v1
            kind: Function
            metadata:
              name: function-of-yaml
            """);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData($"{Other}; {Ours}")]
    [InlineData($"{Ours}; {Other}")]
    public async Task Each_module_uses_its_own_libraries_whichever_is_used_first(string commands)
    {
        HostResult result = await HostProcess.RunIn(
            _folder.Combine("workspaces"),
            "-Command",
            $"$folder = '{_folder.Path}'; Import-Module '{Built.OtherModule}'; {commands}; [AppDomain]::CurrentDomain.GetAssemblies().GetName().ForEach({{ \"$($_.Name) $($_.Version.ToString(2))\" }})");

        Assert.Equal((0, string.Empty), (result.ExitCode, result.Error));
        string[] lines = result.Output.Split('\n');
        Assert.Contains("YamlDotNet 17.0 [ 1, 2 ]", lines);
        Assert.Contains("SharpCompress 0.48 BZip2", lines);
        Assert.Contains("function-of-yaml", lines);
        Assert.Equal(2, lines.Count(l => l is "YamlDotNet 17.0" or "YamlDotNet 18.0"));
        Assert.Equal(2, lines.Count(l => l is "SharpCompress 0.48" or "SharpCompress 0.50"));
    }
}
