using System.Diagnostics;
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
        string killed = await Child(kill: true);
        using Process live = Start(out string alive);

        PSObject stale = Assert.Single(_session.Get("Get-BuildWorkspace -Stale"));
        Assert.Equal(killed, ((StaleWorkspace)stale.BaseObject).Path);
        _session.Get("Remove-BuildWorkspace -Stale -WhatIf");
        Assert.True(Directory.Exists(killed));

        _session.Get("Get-BuildWorkspace -Stale | Remove-BuildWorkspace");
        Assert.False(Directory.Exists(killed));
        Assert.True(Directory.Exists(alive));

        live.StandardInput.Close();
        await live.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.False(Directory.Exists(alive));
    }

    [Fact]
    public async Task The_first_import_of_a_session_removes_what_a_killed_one_left()
    {
        string killed = await Child(kill: true);
        string tarball = Tarballs.Write(_session.Folder, "function-a");

        ShellResult result = _session.Run("Import-FunctionTarball $args[0] -Verbose", tarball);

        Assert.False(Directory.Exists(killed));
        Assert.Contains(result.Verbose, v => v.Contains(killed, StringComparison.Ordinal) && v.Contains("dead session", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("$w.Path")]
    [InlineData("$w.Path; exit 3")]
    [InlineData("$w.Path; throw 'an error'")]
    [InlineData("$w.Path; Remove-Module FunctionBuild; if ([IO.Directory]::Exists($w.Path)) { throw 'still there' }")]
    public async Task A_session_that_ends_removes_its_workspaces(string rest)
    {
        using Process child = StartHost($"$w = New-BuildWorkspace; {rest}");
        string path = (await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!;
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith(_session.Folder.Combine("workspaces"), path);
        Assert.False(Directory.Exists(path));
        Assert.Equal(rest.Contains("exit 3", StringComparison.Ordinal) ? 3 : rest.Contains("throw 'an", StringComparison.Ordinal) ? 1 : 0, child.ExitCode);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task A_session_that_is_told_to_end_removes_its_workspaces(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such signals.");
        using Process child = StartHost("(New-BuildWorkspace).Path; while ($true) { [Threading.Thread]::Sleep(20) }");
        string path = (await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!;

        using var kill = Process.Start("kill", [$"-{signal}", $"{child.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.False(Directory.Exists(path));
        Assert.NotEqual(0, child.ExitCode);
    }

    private async Task<string> Child(bool kill)
    {
        using Process child = Start(out string path);
        if (kill)
        {
            child.Kill();
        }

        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(kill, Directory.Exists(path));
        return path;
    }

    /// <summary>Starts a session that makes a workspace and then waits for the end of its input.</summary>
    private Process Start(out string workspace)
    {
        Process child = StartHost("(New-BuildWorkspace).Path; $null = [Console]::In.ReadToEnd()");
        workspace = child.StandardOutput.ReadLine()!;
        Assert.True(Directory.Exists(workspace));
        return child;
    }

    private Process StartHost(string command) => HostProcess.Start(_session.Folder.Combine("workspaces"), "-Command", command);

    private BuildWorkspace Workspace(string script) => Assert.Single(Workspaces(script));

    private List<BuildWorkspace> Workspaces(string script) => [.. _session.Get(script).Select(o => (BuildWorkspace)o.BaseObject)];
}
