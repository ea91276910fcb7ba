using System.Management.Automation;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Shell;

public sealed class CompletionTests : IDisposable
{
    private readonly ModuleSession _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData("Import-FunctionTarball -PathPrefix x -Architecture ar", "arm64,arm")]
    [InlineData("Build-FunctionImage x -Compression ", "Gzip,None,Zstd")]
    [InlineData("Build-FunctionImage x -MediaType ", "Docker,Oci")]
    [InlineData("Build-FunctionImage x -Capability ", "composition,operation")]
    [InlineData("Save-FunctionImage x -Format ", "DockerArchive,OciLayout,Xpkg")]
    public void Known_values_are_completed(string line, string expected) => Assert.Equal(expected.Split(','), Complete(line));

    [Theory]
    [InlineData("Import-FunctionTarball x -Workspace ")]
    [InlineData("Get-BuildWorkspace ")]
    [InlineData("Remove-BuildWorkspace ")]
    public void Workspaces_are_completed(string line)
    {
        string id = _session.Get("(New-BuildWorkspace).Id")[0].ToString();

        Assert.Equal([id], Complete(line));
        Assert.Equal([id], Complete(line + id[..3]));
    }

    private IEnumerable<string> Complete(string line)
    {
        using PowerShell shell = _session.Prepare(string.Empty);
        shell.Commands.Clear();
        return CommandCompletion.CompleteInput(line, line.Length, null, shell).CompletionMatches.Select(m => m.CompletionText);
    }
}
