using System.Management.Automation;
using FunctionBuild.Core.Workspaces;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

public sealed class BuildWorkspaceTests : IDisposable
{
    private readonly ModuleSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void A_new_workspace_is_in_the_folder_that_was_named()
    {
        BuildWorkspace workspace = Workspace("New-BuildWorkspace -Path here");

        Assert.Equal(_session.Folder.Combine("here"), Path.GetDirectoryName(workspace.Path));
        Assert.Equal(WorkspaceState.Open, workspace.State);
    }

    [Fact]
    public void A_workspace_that_cannot_be_made_is_an_error_that_names_the_folder()
    {
        File.WriteAllText(_session.Folder.Combine("file"), string.Empty);

        ShellResult result = _session.Run("New-BuildWorkspace file");

        Assert.Equal("WorkspaceNotCreated", result.EndedBy);
        Assert.Contains(_session.Folder.Combine("file"), result.Ended!.Exception.Message);
    }

    [Fact]
    public void Workspaces_are_listed_by_id_and_wildcard()
    {
        BuildWorkspace first = Workspace("New-BuildWorkspace");
        BuildWorkspace second = Workspace("New-BuildWorkspace");

        Assert.Equal([first, second], Workspaces("Get-BuildWorkspace"));
        Assert.Equal([second], Workspaces($"Get-BuildWorkspace {second.Id}"));
        Assert.Equal([first], Workspaces($"Get-BuildWorkspace {first.Id[..6]}*"));
        Assert.Empty(Workspaces("Get-BuildWorkspace zz*"));
        Assert.Equal(["WorkspaceNotFound"], _session.Run("Get-BuildWorkspace zzz").ErrorIds);
    }

    [Fact]
    public void Removing_takes_workspaces_ids_and_anything_that_has_one_and_can_be_repeated()
    {
        string tarball = Tarballs.Write(_session.Folder, "function-a");

        _session.Get("$w = New-BuildWorkspace; $w | Remove-BuildWorkspace; $w | Remove-BuildWorkspace");
        _session.Get("Remove-BuildWorkspace (New-BuildWorkspace).Id");
        _session.Get("$i = Import-FunctionTarball $args[0]; $i, $i | Remove-BuildWorkspace", tarball);
        _session.Get("Import-FunctionTarball $args[0] | Build-FunctionImage ghcr.io/acme/platform | Remove-BuildWorkspace", tarball);
        _session.Get("[pscustomobject]@{ Workspace = New-BuildWorkspace } | Remove-BuildWorkspace");

        Assert.Empty(Workspaces("Get-BuildWorkspace"));
        Assert.Empty(_session.WorkspaceFolders);
    }

    [Fact]
    public void Removing_at_the_end_of_a_pipeline_waits_for_all_of_its_objects()
    {
        for (char name = 'a'; name <= 'f'; name++)
        {
            Tarballs.Write(_session.Folder, $"function-{name}");
        }

        ShellResult result = _session.Run("Import-FunctionTarball *.tar.gz -ThrottleLimit 1 | Remove-BuildWorkspace");

        Assert.Empty(result.Errors);
        Assert.Empty(_session.WorkspaceFolders);
    }

    [Fact]
    public void What_has_no_workspace_is_an_error_and_the_others_are_removed()
    {
        ShellResult result = _session.Run("7, (New-BuildWorkspace), 'ffffffff' | Remove-BuildWorkspace");

        Assert.Equal(["ObjectHasNoWorkspace", "WorkspaceNotFound"], result.ErrorIds);
        Assert.Empty(_session.WorkspaceFolders);
    }

    [Fact]
    public void WhatIf_neither_creates_nor_removes()
    {
        _session.Get("New-BuildWorkspace -WhatIf");
        Assert.Empty(_session.WorkspaceFolders);

        _session.Get("$w = New-BuildWorkspace; $w | Remove-BuildWorkspace -WhatIf");
        Assert.Single(_session.WorkspaceFolders);
    }

    [Fact]
    public async Task What_a_killed_session_left_is_listed_and_removed_and_a_live_one_is_not()
    {
        string killed = await LeaveWorkspace();
        using HostProcess live = StartSession();
        string? alive = await live.ReadLine();

        PSObject stale = Assert.Single(_session.Get("Get-BuildWorkspace -Stale"));
        Assert.Equal(killed, ((StaleWorkspace)stale.BaseObject).Path);
        _session.Get("Remove-BuildWorkspace -Stale -WhatIf");
        Assert.True(Directory.Exists(killed));

        _session.Get("Get-BuildWorkspace -Stale | Remove-BuildWorkspace");
        Assert.False(Directory.Exists(killed));
        Assert.True(Directory.Exists(alive));

        await live.End();
        Assert.False(Directory.Exists(alive));
    }

    [Fact]
    public async Task The_first_import_of_a_session_removes_what_a_killed_one_left()
    {
        string killed = await LeaveWorkspace();
        string tarball = Tarballs.Write(_session.Folder, "function-a");

        ShellResult result = _session.Run("Import-FunctionTarball $args[0] -Verbose", tarball);

        Assert.False(Directory.Exists(killed));
        Assert.Contains(result.Verbose, v => v.Contains(killed, StringComparison.Ordinal) && v.Contains("dead session", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("; exit 3", 3)]
    [InlineData("; throw 'an error'", 1)]
    [InlineData("; Remove-Module FunctionBuild; if ([IO.Directory]::Exists($w.Path)) { exit 9 }", 0)]
    public async Task A_session_that_ends_removes_its_workspaces(string ending, int exitCode)
    {
        HostResult result = await HostProcess.RunIn(WorkspaceRoot, "-Command", "$w = New-BuildWorkspace; $w.Path; [IO.Directory]::Exists($w.Path)" + ending);

        string[] lines = result.Output.Split('\n');
        Assert.StartsWith(WorkspaceRoot, lines[0]);
        Assert.Equal("True", lines[1]);
        Assert.False(Directory.Exists(lines[0]));
        Assert.Equal(exitCode, result.ExitCode);
    }

    private string WorkspaceRoot => _session.Folder.Combine("workspaces");

    /// <summary>Kills a session that has a workspace; the workspace's folder.</summary>
    private async Task<string> LeaveWorkspace()
    {
        using HostProcess session = StartSession();
        string path = (await session.ReadLine())!;
        await session.Kill();
        Assert.True(Directory.Exists(path));
        return path;
    }

    /// <summary>Starts a session that makes a workspace and then waits for the end of its input.</summary>
    private HostProcess StartSession() => HostProcess.StartIn(WorkspaceRoot, "-Command", "(New-BuildWorkspace).Path; $null = [Console]::In.ReadToEnd()");

    private BuildWorkspace Workspace(string script) => Assert.Single(Workspaces(script));

    private List<BuildWorkspace> Workspaces(string script) => [.. _session.Get(script).Select(o => (BuildWorkspace)o.BaseObject)];
}
