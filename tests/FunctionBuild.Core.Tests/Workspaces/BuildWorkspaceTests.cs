using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Workspaces;

public sealed class BuildWorkspaceTests : IDisposable
{
    private const string RootVariable = "FUNCTIONBUILD_WORKSPACE_ROOT";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_workspace_is_a_locked_folder_named_by_its_id()
    {
        DateTimeOffset before = DateTimeOffset.Now;
        using BuildWorkspace workspace = _folder.NewWorkspace();

        Assert.Matches("^[0-9a-f]{8}$", workspace.Id);
        Assert.Equal(Path.Combine(_folder.Combine("workspaces"), $"functionbuild-{workspace.Id}"), workspace.Path);
        Assert.Equal(WorkspaceState.Open, workspace.State);
        Assert.InRange(workspace.CreatedAt, before, DateTimeOffset.Now);
        Assert.Equal(workspace.Id, workspace.ToString());
        Assert.Contains(workspace, WorkspaceSession.Workspaces);
        Assert.Throws<IOException>(() => File.Open(Path.Combine(workspace.Path, "lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None));
    }

    [Fact]
    public void An_id_is_never_a_number_to_PowerShell()
    {
        BuildWorkspace[] workspaces = [.. Enumerable.Range(0, 50).Select(_ => _folder.NewWorkspace())];

        Assert.All(workspaces, w => Assert.Matches("^[a-f]", w.Id));
        Array.ForEach(workspaces, w => w.Dispose());
    }

    [Fact]
    public void Only_the_owner_can_read_a_workspace()
    {
        using BuildWorkspace workspace = _folder.NewWorkspace();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, UnixMode.Of(workspace.Path));
    }

    [Fact]
    public void Removing_takes_the_folder_and_does_nothing_the_second_time()
    {
        BuildWorkspace workspace = _folder.NewWorkspace();
        Directory.CreateDirectory(Path.Combine(workspace.Path, "more", "still"));
        File.WriteAllText(Path.Combine(workspace.Path, "more", "file"), "x");

        workspace.Dispose();
        workspace.Dispose();

        Assert.Equal(WorkspaceState.Removed, workspace.State);
        Assert.False(Directory.Exists(workspace.Path));
        Assert.DoesNotContain(workspace, WorkspaceSession.Workspaces);
    }

    [Fact]
    public void Removing_what_somebody_else_removed_is_no_error()
    {
        BuildWorkspace workspace = _folder.NewWorkspace();
        Directory.Delete(workspace.Path, recursive: true);

        workspace.Dispose();

        Assert.Equal(WorkspaceState.Removed, workspace.State);
    }

    [Fact]
    public void Removing_waits_for_a_use_that_was_told_to_stop()
    {
        BuildWorkspace workspace = _folder.NewWorkspace();
        BuildWorkspace.WorkspaceUse use = workspace.Use(TestContext.Current.CancellationToken);
        bool there = false;
        using CancellationTokenRegistration registration = use.Token.Register(() => Task.Run(
            () =>
            {
                there = Directory.Exists(workspace.Path);
                use.Dispose();
            },
            TestContext.Current.CancellationToken));

        workspace.Dispose();

        Assert.True(there);
        Assert.False(Directory.Exists(workspace.Path));
    }

    [Fact]
    public async Task Using_a_removed_workspace_is_an_error_that_says_which_and_what_to_do()
    {
        BuildWorkspace workspace = _folder.Workspace;
        string path = _folder.Write("function.tar", DockerArchive.Nix(new FixtureImage()).Build());
        workspace.Dispose();

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => _folder.Import(path));

        Assert.Equal("WorkspaceRemoved", error.ErrorId);
        Assert.Equal(FaultKind.InvalidOperation, error.Kind);
        Assert.Same(workspace, error.TargetObject);
        Assert.Contains(workspace.Id, error.Message, StringComparison.Ordinal);
        Assert.Contains(workspace.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains("Import the tarballs again", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_counters_tell_what_was_read_and_what_was_shared()
    {
        IReadOnlyList<FixtureImage> images = FunctionBuilds.TwoPlatforms();
        byte[][] unpacked = [.. images.Select(i => DockerArchive.Nix(i).Build())];
        byte[][] gzipped = [.. unpacked.Select(u => Compress.Gzip(u))];

        await _folder.Import(gzipped[0], "a.tar.gz");
        await _folder.Import(gzipped[1], "b.tar.gz");
        BuildWorkspace workspace = _folder.Workspace;

        Assert.Equal(2, workspace.TarballsImported);
        Assert.Equal(gzipped.Sum(g => g.Length), workspace.BytesRead);
        Assert.Equal(unpacked.Sum(u => u.Length), workspace.BytesDecompressed);
        Assert.Equal(4, workspace.LayersSeen);
        Assert.Equal(3, workspace.LayersStored);
        Assert.Equal(images[0].Layers[0].Length, workspace.BytesShared);
    }

    [Fact]
    public async Task Workspaces_created_at_once_are_different()
    {
        string root = _folder.Combine("many");
        BuildWorkspace[] workspaces = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => BuildWorkspace.Create(root), TestContext.Current.CancellationToken)));

        Assert.Equal(40, workspaces.Select(w => w.Path).Distinct().Count());
        Assert.All(workspaces, w => Assert.True(Directory.Exists(w.Path)));
        Array.ForEach(workspaces, w => w.Dispose());
        Assert.Empty(Directory.EnumerateFileSystemEntries(root));
    }

    [Fact]
    public void A_root_that_cannot_be_made_is_an_error_that_names_it()
    {
        string file = _folder.Write("file", [1]);
        string root = Path.Combine(file, "root");

        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => BuildWorkspace.Create(root));

        Assert.Equal("WorkspaceNotCreated", error.ErrorId);
        Assert.Equal(FaultKind.Write, error.Kind);
        Assert.Contains($"'{root}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(RootVariable, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_root_is_the_variables_folder_or_the_temporary_one()
    {
        string? saved = Environment.GetEnvironmentVariable(RootVariable);
        try
        {
            Environment.SetEnvironmentVariable(RootVariable, null);
            Assert.Equal(Path.GetTempPath(), WorkspaceFolder.DefaultRoot);
            Environment.SetEnvironmentVariable(RootVariable, _folder.Combine("from-variable"));
            using BuildWorkspace workspace = BuildWorkspace.Create();
            Assert.Equal(_folder.Combine("from-variable"), Path.GetDirectoryName(workspace.Path));
        }
        finally
        {
            Environment.SetEnvironmentVariable(RootVariable, saved);
        }
    }

    [Fact]
    public void A_relative_root_is_taken_from_where_the_process_is_now()
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, _folder.Combine("relative"));
        using BuildWorkspace workspace = BuildWorkspace.Create(relative);
        Assert.Equal(_folder.Combine("relative"), Path.GetDirectoryName(workspace.Path));
    }

    [Fact]
    public async Task What_a_workspace_holds_is_gone_for_its_blobs_too()
    {
        FunctionImage function = await _folder.BuildTwoPlatforms();
        _folder.Workspace.Dispose();

        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => function.Index.OpenRead());

        Assert.Equal("BlobChanged", error.ErrorId);
    }
}
