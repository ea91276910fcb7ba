using System.Management.Automation;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

public sealed class ImportFunctionTarballTests : IDisposable
{
    private static readonly string NoTarball = new('x', 1000);

    private readonly ModuleSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void A_wildcard_imports_its_files_in_order_into_one_new_workspace()
    {
        Write("function-b", "amd64");
        Write("function-a", "arm64");
        Write("function-a", "amd64");

        List<RuntimeImage> images = Images(_session.Get("Import-FunctionTarball *.tar.gz"));

        Assert.Equal(["function-a (linux/amd64)", "function-a (linux/arm64)", "function-b (linux/amd64)"], images.Select(i => i.ToString()));
        BuildWorkspace workspace = Assert.Single(images.Select(i => i.Workspace).Distinct());
        Assert.Equal(3, workspace.TarballsImported);
        Assert.Equal((6, 4), (workspace.LayersSeen, workspace.LayersStored));
        Assert.Equal(Directory.EnumerateFiles(_session.Folder.Path, "*.tar.gz").Sum(f => new FileInfo(f).Length), workspace.BytesRead);
    }

    [Fact]
    public void Paths_come_from_the_pipeline_as_text_as_files_and_by_their_PSPath()
    {
        string first = Write("function-a", "amd64");
        string second = Write("function-b", "amd64");
        string third = Write("function-c", "amd64");

        List<RuntimeImage> images =
        [
            .. Images(_session.Get("'function-a-amd64.tar.gz' | Import-FunctionTarball")),
            .. Images(_session.Get("[IO.FileInfo]$args[0] | Import-FunctionTarball", second)),
            .. Images(_session.Get("[pscustomobject]@{ PSPath = \"Microsoft.PowerShell.Core\\FileSystem::$($args[0])\" } | Import-FunctionTarball", third)),
        ];

        Assert.Equal([first, second, third], images.Select(i => i.Source));
    }

    [Fact]
    public void A_literal_path_may_hold_wildcard_characters()
    {
        string path = _session.Folder.Combine("function-[a]-amd64.tar.gz");
        File.Move(Write("function-a", "amd64"), path);

        Assert.Equal("function-[a]", Assert.Single(Images(_session.Get("Import-FunctionTarball -LiteralPath $args[0]", path))).Name);
    }

    [Theory]
    [InlineData("function-[a]*")]
    [InlineData("function-[a")]
    public void A_pattern_that_matches_nothing_is_an_error_that_tells_of_literal_paths(string pattern)
    {
        File.Move(Write("function-a", "amd64"), _session.Folder.Combine("function-[a].tar.gz"));

        ShellResult result = _session.Run("Import-FunctionTarball $args[0]", pattern);

        Assert.Equal(["PathNotFound"], result.ErrorIds);
        Assert.Contains("-LiteralPath", result.Errors[0].Exception.Message);
    }

    [Fact]
    public void A_prefix_stands_for_one_tarball_per_architecture_and_the_plain_one_wins()
    {
        Write("function-a", "amd64");
        string plain = Write("function-a", "amd64", ".tar");
        string other = Write("function-a", "arm64");

        List<RuntimeImage> images = Images(_session.Get("Import-FunctionTarball -PathPrefix function-a"));

        Assert.Equal([plain, other], images.Select(i => i.Source));

        // Its lowest layer is the other architecture's too, and belongs to whichever file was faster.
        Assert.Equal(plain, images[0].Layers[^1].Blob.FilePath);
    }

    [Fact]
    public void A_prefix_without_a_tarball_for_an_architecture_lists_every_name_looked_for()
    {
        Write("function-a", "amd64");

        ShellResult result = _session.Run("Import-FunctionTarball -PathPrefix function-a -Architecture AMD64, riscv64");

        Assert.Single(result.Output);
        Assert.Equal(["TarballForArchitectureNotFound"], result.ErrorIds);
        string message = result.Errors[0].Exception.Message;
        Assert.All(TarballNaming.Endings, e => Assert.Contains($"function-a-riscv64{e}'", message));
    }

    [Fact]
    public void Bad_inputs_are_errors_of_their_own_and_the_others_are_imported_in_order()
    {
        Write("function-a", "amd64");
        File.WriteAllText(_session.Folder.Combine("text.tar.gz"), NoTarball);
        Write("function-z", "arm64");
        Directory.CreateDirectory(_session.Folder.Combine("folder"));

        ShellResult result = _session.Run("Import-FunctionTarball function-a-amd64.tar.gz, text.tar.gz, missing.tar, folder, function-z-arm64.tar.gz");

        Assert.Null(result.Ended);
        Assert.Equal(["function-a", "function-z"], Images(result.Output).Select(i => i.Name));
        Assert.Equal(["TarballNotTar", "PathNotFound", "PathIsDirectory"], result.ErrorIds);
        Assert.Contains("text.tar.gz", result.Errors[0].Exception.Message);
        Assert.Equal(ErrorCategory.InvalidData, result.Errors[0].CategoryInfo.Category);
        Assert.Equal(_session.Folder.Combine("text.tar.gz"), result.Errors[0].TargetObject);
    }

    [Fact]
    public void A_call_that_imports_nothing_leaves_no_workspace()
    {
        File.WriteAllText(_session.Folder.Combine("text.tar"), NoTarball);

        _session.Run("Import-FunctionTarball text.tar");

        Assert.Empty(_session.Get("Get-BuildWorkspace"));
        Assert.Empty(_session.WorkspaceFolders);
    }

    [Fact]
    public void An_error_that_ends_the_pipeline_ends_the_other_imports_too()
    {
        File.WriteAllText(_session.Folder.Combine("a.tar"), NoTarball);
        Tarballs.WriteHuge(_session.Folder, "huge-amd64.tar.gz");

        ShellResult result = _session.Run("Import-FunctionTarball a.tar, huge-amd64.tar.gz -MaximumExpandedSize 20GB -ErrorAction Stop");

        Assert.Equal("TarballNotTar", result.EndedBy);
        Assert.Empty(_session.WorkspaceFolders);
    }

    [Fact]
    public void The_name_and_the_workspace_can_be_given()
    {
        Write("x", "amd64");

        List<RuntimeImage> images = Images(_session.Get("$w = New-BuildWorkspace; Import-FunctionTarball *.tar.gz -Name function-y -Workspace $w; Import-FunctionTarball *.tar.gz -Workspace $w.Id"));

        Assert.Equal(["function-y", "x"], images.Select(i => i.Name));
        Assert.Same(images[0].Workspace, images[1].Workspace);
        Assert.Equal(2, images[0].Workspace.LayersStored);
    }

    [Fact]
    public void A_workspace_that_is_gone_is_named()
    {
        Write("function-a", "amd64");

        ShellResult result = _session.Run("$w = New-BuildWorkspace; $w | Remove-BuildWorkspace; Import-FunctionTarball *.tar.gz -Workspace $w; $w.Id");

        Assert.Equal(["WorkspaceRemoved"], result.ErrorIds);
        Assert.Contains(result.Output[^1].ToString(), result.Errors[0].Exception.Message);
    }

    [Theory]
    [InlineData("20000")]
    [InlineData("10KB")]
    [InlineData("'10KB'")]
    public void What_expands_beyond_the_limit_is_refused(string limit)
    {
        string path = _session.Folder.Write("zeros-amd64.tar.gz", Compress.Gzip(new byte[1_000_000]));

        ShellResult result = _session.Run($"Import-FunctionTarball $args[0] -MaximumExpandedSize {limit}", path);

        Assert.Equal(["ExpandedSizeExceeded"], result.ErrorIds);
        Assert.Equal(ErrorCategory.LimitsExceeded, result.Errors[0].CategoryInfo.Category);
    }

    [Fact]
    public async Task Stopping_the_pipeline_stops_the_import_and_leaves_the_workspace_usable_and_empty()
    {
        string path = Tarballs.WriteHuge(_session.Folder, "huge-amd64.tar.gz");
        Write("function-a", "amd64");
        var workspace = (BuildWorkspace)Assert.Single(_session.Get("$w = New-BuildWorkspace; $w")).BaseObject;
        using PowerShell shell = _session.Prepare("Import-FunctionTarball $args[0] -Workspace $w -MaximumExpandedSize 20GB", path);
        Task<PSDataCollection<PSObject>> run = shell.InvokeAsync();
        while (workspace.BytesDecompressed == 0)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await shell.StopAsync(null, null);

        await Assert.ThrowsAsync<PipelineStoppedException>(() => run);
        Assert.True(workspace.BytesDecompressed < 12_000_000_000);
        Assert.Equal(["lock"], Directory.EnumerateFiles(workspace.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        Assert.Single(_session.Get("Import-FunctionTarball function-a-amd64.tar.gz -Workspace $w"));
    }

    [Fact]
    public void A_command_that_wants_no_more_ends_the_import()
    {
        Write("function-a", "amd64");
        Tarballs.WriteHuge(_session.Folder, "huge-amd64.tar.gz");

        // The second file would go beyond the limit and be an error, if it were read to there.
        List<RuntimeImage> images = Images(_session.Get("function first { process { $_; break } }; do { Import-FunctionTarball function-a-amd64.tar.gz, huge-amd64.tar.gz -MaximumExpandedSize 10GB | first } while ($false)"));

        Assert.Equal("function-a", Assert.Single(images).Name);
    }

    [Fact]
    public void Results_keep_the_order_of_the_inputs_whatever_the_throttle_limit()
    {
        string[] names = [.. Enumerable.Range(0, 12).Select(i => $"function-{(char)('a' + i)}")];
        foreach (string name in names)
        {
            Write(name, "amd64");
        }

        Assert.Equal(names, Images(_session.Get("Import-FunctionTarball *.tar.gz -ThrottleLimit 8")).Select(i => i.Name));
        Assert.Equal(names.Reverse(), Images(_session.Get("Import-FunctionTarball ($args[0]) -ThrottleLimit 1", [names.Reverse().Select(n => $"{n}-amd64.tar.gz").ToArray()])).Select(i => i.Name));
    }

    [Fact]
    public void Verbose_tells_of_the_workspace_and_of_each_file()
    {
        string path = Write("function-a", "amd64");

        ShellResult result = _session.Run("Import-FunctionTarball *.tar.gz -Verbose");

        Assert.Contains(result.Verbose, v => v.Contains("because no -Workspace was given", StringComparison.Ordinal));
        Assert.Contains(result.Verbose, v => v.Contains(path, StringComparison.Ordinal) && v.Contains("2 layers", StringComparison.Ordinal));
    }

    [Fact]
    public void Verbose_tells_what_is_not_decompressed_again()
    {
        byte[] common = FixtureImage.Layer("common", 4_000_000);
        foreach (string name in (string[])["function-a", "function-b"])
        {
            _session.Folder.Write($"{name}-amd64.tar.gz", Compress.Gzip(DockerArchive.Nix(new FixtureImage { Layers = [common, FixtureImage.Layer(name)] }).Build()));
        }

        ShellResult result = _session.Run("Import-FunctionTarball *.tar.gz -ThrottleLimit 1 -Verbose");

        string told = Assert.Single(result.Verbose, v => v.Contains("begins like", StringComparison.Ordinal));
        Assert.Matches(@"function-b-amd64\.tar\.gz': begins like another tarball; its first \d\D?\d{3}\D?\d{3} bytes are not decompressed again\.\z", told);
    }

    [Fact]
    public void Progress_tells_the_bytes_read_of_each_file_and_of_all_and_is_taken_away_at_the_end()
    {
        Tarballs.WriteHuge(_session.Folder, "huge-amd64.tar.gz", pieces: 24);

        ShellResult result = _session.Run("Import-FunctionTarball huge-amd64.tar.gz");

        Assert.Equal(["DiffIdMismatch"], result.ErrorIds);
        Assert.Contains(result.Progress, p => p.ActivityId == 1 && p.ParentActivityId == 0 && p.Activity == "huge-amd64.tar.gz" && p.PercentComplete is > 0 and < 100);
        Assert.Contains(result.Progress, p => p.ActivityId == 0 && p.StatusDescription.StartsWith("0 of 1 files", StringComparison.Ordinal));
        Assert.Equal([1, 0], result.Progress.Where(p => p.RecordType == ProgressRecordType.Completed).Select(p => p.ActivityId));
    }

    private static List<RuntimeImage> Images(IEnumerable<PSObject> output) => [.. output.Select(o => (RuntimeImage)o.BaseObject)];

    private string Write(string name, string architecture, string ending = ".tar.gz") => Tarballs.Write(_session.Folder, name, architecture, ending);
}
