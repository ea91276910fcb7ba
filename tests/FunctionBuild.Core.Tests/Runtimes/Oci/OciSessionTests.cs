using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Oci;
using FunctionBuild.Core.Saving;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;
using Programs = FunctionBuild.Core.Runtimes.Oci.SearchPath;

namespace FunctionBuild.Core.Tests.Runtimes.Oci;

/// <summary>Functions of another process: one that is killed, and one of a user who is not root. That process is this program again, which runs one explicit test.</summary>
[Collection(OciImages.MachinePort)]
[SupportedOSPlatform("linux")]
public sealed class OciSessionTests(HelloFunction hello) : IDisposable
{
    private const string PackageVariable = "FUNCTIONBUILD_TEST_PACKAGE";
    private const string FolderVariable = "FUNCTIONBUILD_TEST_FOLDER";
    private const string Nobody = "65534";
    private const int NotHidden = 77;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Shared => _folder.Combine("shared");

    [Fact]
    public async Task A_function_ends_when_the_session_is_killed_and_the_sweep_removes_the_rest()
    {
        OciImages.Runtime();
        using Process session = await StartSession(nameof(Start_a_function_and_wait));
        string path = await ReadWhenWritten(Path.Combine(Shared, "ready"));
        Assert.NotEmpty(Processes(path));

        session.Kill();
        await session.WaitForExitAsync(Cancellation);

        await AssertEnds(path);
        WorkspaceSession.Sweep(Shared);
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public async Task A_function_whose_session_and_supervisor_were_killed_is_ended_by_the_sweep()
    {
        OciImages.Runtime();
        using Process session = await StartSession(nameof(Start_a_function_and_wait));
        string path = await ReadWhenWritten(Path.Combine(Shared, "ready"));
        int function = int.Parse(File.ReadAllText(Directory.EnumerateFiles(Path.Combine(path, "processes")).Single()).Split(' ')[0], CultureInfo.InvariantCulture);

        foreach (int id in Supervisors(path, function))
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }

        session.Kill();
        await session.WaitForExitAsync(Cancellation);
        Assert.True(Directory.Exists($"/proc/{function}"));
        string container = Path.GetFileName(Directory.EnumerateFiles(Path.Combine(path, "processes")).Single());

        WorkspaceSession.Sweep(Shared);

        Assert.Empty(Directory.EnumerateDirectories("/sys/fs/cgroup", $"*{container}").Concat(Directory.EnumerateDirectories("/sys/fs/cgroup").SelectMany(d => Directory.EnumerateDirectories(d, $"*{container}"))));

        await AssertEnds(path);
        Assert.False(Directory.Exists(path));
    }

    [Theory]
    [InlineData("runc", true, false)]
    [InlineData("runc", false, true)]
    [InlineData("runc", true, true)]
    [InlineData("crun", false, false)]
    [InlineData("crun", true, false)]
    [InlineData("crun", false, true)]
    [InlineData("crun", true, true)]
    [InlineData("youki", false, false)]
    [InlineData("youki", false, true)]
    public async Task Each_runtime_runs_functions_as_root_and_not_and_without_control_groups(string runtime, bool asNobody, bool withoutControlGroups)
    {
        OciImages.Runtime();
        Assert.SkipUnless(Programs.Find(runtime) is not null, $"{runtime} is not installed.");
        Assert.SkipUnless(Posix.UserId == 0, "Only root can become another user, or hide control groups; as another user all these tests run in user namespaces.");
        using Process session = await StartSession(nameof(Run_two_functions), asNobody, withoutControlGroups, runtime);
        Task<string> output = session.StandardOutput.ReadToEndAsync(Cancellation);
        await session.WaitForExitAsync(Cancellation);

        Assert.SkipWhen(session.ExitCode == NotHidden, "Control groups cannot be hidden here.");
        Assert.True(File.Exists(Path.Combine(Shared, "done")), await output);
        Assert.Equal(asNobody ? Nobody : "0", await File.ReadAllTextAsync(Path.Combine(Shared, "done"), Cancellation));
    }

    [Fact(Explicit = true)]
    public async Task Start_a_function_and_wait()
    {
        FunctionImage function = await ImportPackage();
        await OciImages.Runtime().StartAsync(function.ToStart(), Cancellation);
        Write("ready", function.Workspace.Path);
        await Task.Delay(Timeout.Infinite, Cancellation);
    }

    [Fact(Explicit = true)]
    public async Task Run_two_functions()
    {
        FunctionImage function = await ImportPackage();
        OciRuntime runtime = OciImages.Runtime();
        RunningFunction[] running = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => runtime.StartAsync(function.ToStart($"function-{i}"), Cancellation)));
        await Task.WhenAll(running.Select(OciRuntimeTests.AssertAnswers));
        await Task.WhenAll(running.Select(r => r.DisposeAsync().AsTask()));
        await OciTraces.AssertGoneAsync(function.Workspace);

        FunctionBuildException e = await runtime.FailToStart(function.WithCommand(OciImages.Program, "--wrong").ToStart(), function.Workspace);
        Assert.Equal("FunctionExited", e.ErrorId);
        if (!ControlGroups.Detect(Posix.UserId == 0).Memory)
        {
            e = await Assert.ThrowsAsync<FunctionBuildException>(() => OciImages.Runtime(new OciRuntimeOptions { MemoryLimit = 1L << 30 }).StartAsync(function.ToStart(), Cancellation));
            Assert.Equal("MemoryLimitUnavailable", e.ErrorId);
        }

        await using (RunningFunction onHost = await OciImages.Runtime(new OciRuntimeOptions { HostNetwork = true }).StartAsync(function.ToStart(), Cancellation))
        {
            await OciRuntimeTests.AssertAnswers(onHost);
        }

        await OciTraces.AssertGoneAsync(function.Workspace);
        function.Workspace.Dispose();
        Assert.False(Directory.Exists(function.Workspace.Path));
        Write("done", $"{Posix.UserId}");
    }

    private async Task<Process> StartSession(string test, bool asNobody = false, bool withoutControlGroups = false, string? runtime = null)
    {
        FunctionImage function = await hello.GetImageAsync(_folder);
        string package = _folder.Combine("function.xpkg");
        await ImageSaver.SaveAsync([function], new SaveOptions { Path = package }, null, Cancellation);
        Directory.CreateDirectory(Shared);
        const UnixFileMode Everybody = (UnixFileMode)0x1FF;
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1ED);
        File.SetUnixFileMode(Shared, Everybody);
        string temporary = Directory.CreateDirectory(_folder.Combine("temporary")).FullName;
        File.SetUnixFileMode(temporary, Everybody);
        File.SetUnixFileMode(package, (UnixFileMode)0x1A4);

        string[] command = [Environment.ProcessPath!, "-noColor", "-explicit", "only", "-method", $"{typeof(OciSessionTests).FullName}.{test}"];
        if (asNobody)
        {
            command = ["setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups", .. command];
        }

        if (withoutControlGroups)
        {
            string hide = $"umount --recursive --lazy /sys/fs/cgroup || exit {NotHidden}; exec \"$@\"";
            command = ["unshare", "--mount", "/bin/sh", "-c", hide, "sh", .. command];
        }

        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, WorkingDirectory = Shared };
        start.Environment[PackageVariable] = package;
        start.Environment[FolderVariable] = Shared;

        // One that is killed leaves its test's folders.
        start.Environment["TMPDIR"] = temporary;
        if (runtime is not null)
        {
            start.Environment[OciImages.RuntimeVariable] = runtime;
        }

        return Process.Start(start)!;
    }

    // A package is imported as an image like any other; it need not be built again.
    private static async Task<FunctionImage> ImportPackage()
    {
        var workspace = BuildWorkspace.Create(Environment.GetEnvironmentVariable(FolderVariable));
        RuntimeImage image = (await TarballImporter.ImportAsync(workspace, Environment.GetEnvironmentVariable(PackageVariable)!, new ImportOptions(), null, Cancellation)).Single();
        Blob config = workspace.Blobs.Put(image.Config.Json.Span);
        return new FunctionImage
        {
            Name = HelloFunction.Name,
            Repository = FunctionBuilds.Repository,
            Index = config,
            Package = FunctionBuilds.Metadata,
            Workspace = workspace,
            Images =
            [
                new PlatformImage
                {
                    Platform = image.Platform,
                    Manifest = config,
                    MediaType = MediaTypes.OciManifest,
                    Config = config,
                    Layers = [.. image.Layers.Select(l => new PackageLayer(new Descriptor(MediaTypes.OciLayer, l.Blob.Digest, l.Blob.Length), l.DiffId, l.Blob))],
                },
            ],
        };
    }

    private static void Write(string name, string text)
    {
        string path = Path.Combine(Environment.GetEnvironmentVariable(FolderVariable)!, name);
        File.WriteAllText(path + ".tmp", text);
        File.Move(path + ".tmp", path);
    }

    private static async Task<string> ReadWhenWritten(string path)
    {
        DateTime end = DateTime.UtcNow.AddMinutes(3);
        while (!File.Exists(path))
        {
            Assert.True(DateTime.UtcNow < end, $"'{path}' was not written.");
            await Task.Delay(50, Cancellation);
        }

        return await File.ReadAllTextAsync(path, Cancellation);
    }

    private static List<string> Processes(string workspacePath) => [.. OciTraces.Find(workspacePath).Where(t => t.StartsWith("/proc/", StringComparison.Ordinal))];

    private static IEnumerable<int> Supervisors(string workspacePath, int function) =>
        [.. Processes(workspacePath).Select(t => int.Parse(t.Split('/')[2], CultureInfo.InvariantCulture)).Distinct().Where(id => id != function)];

    private static async Task AssertEnds(string workspacePath)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(30);
        while (Processes(workspacePath).Count > 0 && DateTime.UtcNow < end)
        {
            await Task.Delay(50, Cancellation);
        }

        Assert.Empty(Processes(workspacePath));
    }
}
