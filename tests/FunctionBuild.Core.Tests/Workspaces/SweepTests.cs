using System.Diagnostics;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Workspaces;

public sealed class SweepTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Root => _folder.Combine("root");

    [Fact]
    public void What_a_dead_session_left_is_found_and_removed()
    {
        string b = Leave("0000000b", bytes: 3000);
        string a = Leave("0000000a", bytes: 70);

        IReadOnlyList<StaleWorkspace> found = WorkspaceSession.FindStale(Root);
        IReadOnlyList<StaleWorkspace> removed = WorkspaceSession.Sweep(Root);

        Assert.Equal([a, b], found.Select(s => s.Path));
        Assert.Equal(["0000000a", "0000000b"], found.Select(s => s.Id));
        Assert.Equal([70, 3000], found.Select(s => s.Size));
        Assert.All(found, s => Assert.Equal(WorkspaceState.Stale, s.State));
        Assert.Equal(found, removed);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
        Assert.Empty(WorkspaceSession.Sweep(Root));
    }

    [Fact]
    public void A_root_that_does_not_exist_has_nothing_to_sweep()
    {
        Assert.Empty(WorkspaceSession.FindStale(Root));
        Assert.Empty(WorkspaceSession.Sweep(Root));
    }

    [Fact]
    public void The_workspaces_of_this_session_are_never_touched()
    {
        using BuildWorkspace live = BuildWorkspace.Create(Root);
        Leave("00000001");

        Assert.Single(WorkspaceSession.FindStale(Root));
        Assert.Single(WorkspaceSession.Sweep(Root));

        Assert.True(Directory.Exists(Path.Combine(live.Path, "blobs", "sha256")));
        Assert.Empty(WorkspaceSession.Sweep(Root));
    }

    [Fact]
    public async Task A_live_process_keeps_its_workspace_until_it_is_killed()
    {
        string path = Leave("00000002", bytes: 10);

        // The same lock as .NET's: a child that holds it is what a live session looks like.
        using Process holder = ExternalTool.Start("flock", "--no-fork", Path.Combine(path, "lock"), "sh", "-c", "echo locked; exec sleep 600");
        try
        {
            Assert.Equal("locked", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

            Assert.Empty(WorkspaceSession.FindStale(Root));
            Assert.Empty(WorkspaceSession.Sweep(Root));
            Assert.True(File.Exists(Path.Combine(path, "blobs", "blob")));
        }
        finally
        {
            holder.Kill();
            await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(path, Assert.Single(WorkspaceSession.Sweep(Root)).Path);
        Assert.False(Directory.Exists(path));
    }

    [Theory]
    [InlineData(59, false)]
    [InlineData(61, true)]
    public void An_empty_folder_without_lock_is_removed_only_when_it_is_old(int minutes, bool removed)
    {
        string path = LeaveEmpty("00000003");
        Directory.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(-minutes));

        Assert.Equal(removed, WorkspaceSession.FindStale(Root).Count > 0);
        Assert.Equal(removed, WorkspaceSession.Sweep(Root).Count > 0);

        Assert.Equal(!removed, Directory.Exists(path));
    }

    [Theory]
    [InlineData("other")]
    [InlineData("functionbuild-src")]
    [InlineData("functionbuild-0000000A")]
    [InlineData("functionbuild-0000000a1")]
    public void Folders_that_are_named_otherwise_are_not_looked_at(string name)
    {
        string folder = Path.Combine(Root, name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "lock"), string.Empty);
        File.WriteAllText(Path.Combine(Root, "functionbuild-0000000a"), "a file");

        Assert.Empty(WorkspaceSession.FindStale(Root));
        Assert.Empty(WorkspaceSession.Sweep(Root));

        Assert.True(File.Exists(Path.Combine(folder, "lock")));
        Assert.True(File.Exists(Path.Combine(Root, "functionbuild-0000000a")));
    }

    [Fact]
    public void A_folder_without_lock_that_holds_something_is_nobody_s_to_remove()
    {
        string path = Leave("0000000d");
        File.Delete(Path.Combine(path, "lock"));
        Directory.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-1));

        Assert.Empty(WorkspaceSession.FindStale(Root));
        Assert.Empty(WorkspaceSession.Sweep(Root));

        Assert.True(File.Exists(Path.Combine(path, "blobs", "blob")));
    }

    [Fact]
    public void Links_are_never_followed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making links needs a right that tests on Windows may lack.");
        string precious = _folder.Combine("precious");
        Directory.CreateDirectory(precious);
        File.WriteAllText(Path.Combine(precious, "lock"), string.Empty);
        File.WriteAllText(Path.Combine(precious, "file"), "x");
        string stale = Leave("00000004");
        Directory.CreateSymbolicLink(Path.Combine(Root, "functionbuild-00000005"), precious);
        Directory.CreateSymbolicLink(Path.Combine(stale, "link"), precious);
        Directory.CreateSymbolicLink(Path.Combine(stale, "blobs", "link"), precious);
        File.CreateSymbolicLink(Path.Combine(stale, "file-link"), Path.Combine(precious, "file"));

        Assert.Equal(stale, Assert.Single(WorkspaceSession.Sweep(Root)).Path);

        Assert.False(Directory.Exists(stale));
        Assert.True(File.Exists(Path.Combine(precious, "file")));
        Assert.True(File.Exists(Path.Combine(precious, "lock")));
    }

    [Fact]
    public void Only_what_is_approved_is_removed()
    {
        string kept = Leave("00000006");
        string gone = Leave("00000007");

        IReadOnlyList<StaleWorkspace> removed = WorkspaceSession.Sweep(Root, s => s.Path == gone);

        Assert.Equal(gone, Assert.Single(removed).Path);
        Assert.True(Directory.Exists(kept));
        Assert.Equal(kept, Assert.Single(WorkspaceSession.FindStale(Root)).Path);
    }

    [Fact]
    public async Task Sessions_that_sweep_at_once_do_not_disturb_each_other()
    {
        string[] paths = [.. Enumerable.Range(0, 60).Select(i => i % 3 == 0 ? LeaveEmpty($"{i:x8}") : Leave($"{i:x8}"))];
        foreach (string old in paths.Where((_, i) => i % 3 == 0))
        {
            Directory.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-1));
        }

        IReadOnlyList<StaleWorkspace>[] removed = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => WorkspaceSession.Sweep(Root), TestContext.Current.CancellationToken)));
        WorkspaceSession.Sweep(Root);

        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
        Assert.Equal(paths, removed.SelectMany(r => r).Select(r => r.Path).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_sweep_beside_new_workspaces_leaves_them_alone()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<int> sweeps = Task.Run(
            () =>
            {
                int removed = 0;
                while (!stop.IsCancellationRequested)
                {
                    removed += WorkspaceSession.Sweep(Root).Count;
                }

                return removed;
            },
            TestContext.Current.CancellationToken);

        BuildWorkspace[] workspaces = [.. Enumerable.Range(0, 200).Select(_ => BuildWorkspace.Create(Root))];
        await stop.CancelAsync();
        await sweeps;

        Assert.All(workspaces, w => Assert.True(File.Exists(Path.Combine(w.Path, "lock"))));
        Array.ForEach(workspaces, w => w.Dispose());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
    }

    [Fact]
    public void A_root_is_swept_once_in_the_life_of_a_process()
    {
        Leave("00000008");
        Assert.Single(WorkspaceSession.SweepOnce(Root));
        Leave("00000009");
        Assert.Empty(WorkspaceSession.SweepOnce(Path.Combine(Root, ".")));
        Assert.Single(WorkspaceSession.Sweep(Root));
    }

    [Fact]
    public void A_half_made_removal_is_finished_by_the_next_sweep()
    {
        string path = Leave("0000000c");
        Directory.Delete(Path.Combine(path, "blobs"), recursive: true);

        Assert.Equal(path, Assert.Single(WorkspaceSession.Sweep(Root)).Path);
        Assert.False(Directory.Exists(path));
    }

    /// <summary>Makes what a killed session leaves.</summary>
    private string Leave(string id, int bytes = 0)
    {
        string path = Path.Combine(Root, $"functionbuild-{id}");
        Directory.CreateDirectory(Path.Combine(path, "blobs"));
        File.WriteAllText(Path.Combine(path, "lock"), string.Empty);
        File.WriteAllBytes(Path.Combine(path, "blobs", "blob"), new byte[bytes]);
        return path;
    }

    /// <summary>Makes what a session leaves that is killed before it has its lock.</summary>
    private string LeaveEmpty(string id) => Directory.CreateDirectory(Path.Combine(Root, $"functionbuild-{id}")).FullName;
}
