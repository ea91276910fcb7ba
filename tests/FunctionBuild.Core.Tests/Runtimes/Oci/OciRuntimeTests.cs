using System.Text.Json.Nodes;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Oci;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;
using Grpc.Net.Client;

namespace FunctionBuild.Core.Tests.Runtimes.Oci;

/// <summary>Functions run for real, by the runtime that this machine has.</summary>
[Collection(OciImages.MachinePort)]
public sealed class OciRuntimeTests(HelloFunction hello) : IDisposable
{
    private const string Program = OciImages.Program;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_function_answers_and_nothing_of_it_is_left()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = await hello.GetImageAsync(_folder);

        await using (RunningFunction running = await runtime.StartAsync(image.ToStart(), Cancellation))
        {
            Assert.Equal(HelloFunction.Name, running.Name);
            Assert.Matches("^(runc|crun|youki) functionbuild-[0-9a-f]{16}$", running.Description);
            await AssertAnswers(running);
            Assert.NotEmpty(OciTraces.Find(image.Workspace.Path));
        }

        await OciTraces.AssertGoneAsync(image.Workspace);
    }

    [Fact]
    public async Task Four_functions_run_at_once_on_the_same_port_and_share_one_root()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = await hello.GetImageAsync(_folder);

        RunningFunction[] running = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => runtime.StartAsync(image.ToStart($"function-{i}"), Cancellation)));

        Assert.Equal(4, running.Select(r => r.Description).Distinct().Count());
        await Task.WhenAll(running.Select(AssertAnswers));
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(image.Workspace.Path, "rootfs")));
        await Task.WhenAll(running.Select(r => r.DisposeAsync().AsTask()));
        await OciTraces.AssertGoneAsync(image.Workspace);
    }

    [Fact]
    public async Task A_function_that_was_disposed_of_accepts_no_connections_and_can_be_disposed_of_again()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = await hello.GetImageAsync(_folder);
        RunningFunction running = await runtime.StartAsync(image.ToStart(), Cancellation);

        await running.DisposeAsync();
        await running.DisposeAsync();

        await Assert.ThrowsAsync<IOException>(async () => await (await running.ConnectAsync(Cancellation)).DisposeAsync());
    }

    [Fact]
    public async Task A_functions_environment_and_output_are_as_asked_for()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithConfig(c => c["Env"] = new JsonArray("DOTNET_EnableDiagnostics=0", "Logging__LogLevel__Default=None"));

        FunctionStart start = image.ToStart() with { Environment = [new("Logging__LogLevel__Default", "Information")] };
        await using RunningFunction running = await runtime.StartAsync(start, Cancellation);
        await AssertAnswers(running);

        Assert.Contains("Now listening on", await running.ReadLogAsync(Cancellation));
    }

    [Fact]
    public async Task A_function_goes_with_its_workspace()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = await hello.GetImageAsync(_folder);
        string path = image.Workspace.Path;
        await runtime.StartAsync(image.ToStart(), Cancellation);

        image.Workspace.Dispose();

        Assert.False(Directory.Exists(path));
        await OciTraces.AssertGoneAsync(image.Workspace);
    }

    [Fact]
    public async Task What_exits_at_once_is_told_with_its_exit_code_and_output()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithCommand(Program, "--wrong");

        FunctionBuildException e = await runtime.FailToStart(image.ToStart(), image.Workspace);

        Assert.Equal("FunctionExited", e.ErrorId);
        Assert.Contains("exit code 2", e.Message);
        Assert.Contains("unknown argument '--wrong'", e.Message);
    }

    [Fact]
    public async Task What_never_listens_is_told_when_its_time_is_over()
    {
        OciRuntime runtime = OciImages.Runtime(new OciRuntimeOptions { ListenTime = TimeSpan.FromSeconds(6) });
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithCommand(Program, "--address=:9444");

        FunctionBuildException e = await runtime.FailToStart(image.ToStart(), image.Workspace);

        Assert.Equal("FunctionNotListening", e.ErrorId);
        Assert.Contains("9443", e.Message);
    }

    [Fact]
    public async Task A_program_that_is_not_in_the_image_is_told()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithCommand("/nowhere");

        FunctionBuildException e = await runtime.FailToStart(image.ToStart(), image.Workspace);

        Assert.Equal("ContainerNotStarted", e.ErrorId);
        Assert.Contains("/nowhere", e.Message);
    }

    [Fact]
    public async Task A_user_that_the_image_does_not_know_is_told()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithConfig(c => c["User"] = "somebody");

        FunctionBuildException e = await runtime.FailToStart(image.ToStart(), image.Workspace);

        Assert.Equal("ImageUserUnknown", e.ErrorId);
        Assert.Contains("'somebody'", e.Message);
    }

    [Fact]
    public async Task An_image_without_entrypoint_is_told_before_it_is_unpacked()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await _folder.BuildFrom([FixtureImage.Layer("base")])).WithConfig(c => c.Remove("Entrypoint"));

        FunctionBuildException e = await runtime.FailToStart(image.ToStart(), image.Workspace);

        Assert.Equal("ImageWithoutEntrypoint", e.ErrorId);
        Assert.False(Directory.Exists(Path.Combine(image.Workspace.Path, "rootfs")));
    }

    [Fact]
    public async Task An_image_for_another_machine_is_told_with_the_platforms_that_there_are()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = await _folder.BuildFrom([FixtureImage.Layer("base")], architecture: "mips");

        FunctionBuildException e = await runtime.FailToStart(image.ToStart(), image.Workspace);

        Assert.Equal("ImageForAnotherPlatform", e.ErrorId);
        Assert.Contains("linux/mips", e.Message);
        Assert.Contains($"linux/{MachinePlatform.Architecture}", e.Message);
    }

    [Fact]
    public async Task A_function_without_image_is_told()
    {
        OciRuntime runtime = OciImages.Runtime();

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart("function-a") { Reference = "ghcr.io/acme/function-a:v1" }, Cancellation));

        Assert.Equal("FunctionImageMissing", e.ErrorId);
    }

    [Fact]
    public void A_runtime_that_is_not_installed_is_told()
    {
        FunctionBuildException e = Assert.Throws<FunctionBuildException>(() => OciRuntime.Find(new OciRuntimeOptions { Runtime = "no-such-runtime" }));

        Assert.Equal("OciRuntimeMissing", e.ErrorId);
        Assert.Contains("no-such-runtime", e.Message);
    }

    [Fact]
    public async Task Cancellation_at_any_moment_leaves_nothing()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithCommand(Program, "--address=:9444");

        // From before the first byte is unpacked until well after the container runs.
        foreach (int milliseconds in new[] { 0, 20, 100, 300, 600, 700, 800, 900, 1000, 1500, 3000 })
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            stop.CancelAfter(milliseconds);

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runtime.StartAsync(image.ToStart(), stop.Token));

            await OciTraces.AssertGoneAsync(image.Workspace);
            Assert.DoesNotContain(Roots(image.Workspace), r => r.EndsWith(".tmp", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task On_the_machines_network_a_second_function_is_refused()
    {
        OciRuntime runtime = OciImages.Runtime(new OciRuntimeOptions { HostNetwork = true });
        FunctionImage image = await hello.GetImageAsync(_folder);

        await using (RunningFunction running = await runtime.StartAsync(image.ToStart("function-a"), Cancellation))
        {
            await AssertAnswers(running);
            FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(image.ToStart("function-b"), Cancellation));
            Assert.Equal("HostPortInUse", e.ErrorId);
            Assert.Contains("function-b", e.Message);
        }

        await OciTraces.AssertGoneAsync(image.Workspace);
    }

    [Fact]
    public async Task What_runs_has_no_privileges_and_a_root_that_nobody_writes_to()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithConfig(c => (c["WorkingDir"], c["User"]) = ("/made/for/it", "0:0"));

        await using (RunningFunction running = await runtime.StartAsync(image.ToStart(), Cancellation))
        {
            await AssertAnswers(running);
            string process = $"/proc/{ProcessOf(image)}";
            string[] status = File.ReadAllLines($"{process}/status");
            Assert.Contains("NoNewPrivs:\t1", status);
            Assert.Equal(5, status.Count(l => l.StartsWith("Cap", StringComparison.Ordinal) && l.EndsWith(":\t0000000000000000", StringComparison.Ordinal)));
            Assert.Equal("/made/for/it", new FileInfo($"{process}/cwd").LinkTarget);

            string[][] mounts = [.. File.ReadLines($"{process}/mounts").Select(l => l.Split(' '))];
            Assert.All(
                mounts.Where(m => m[1] is "/" or "/sys" or "/etc/hosts" or "/proc/sys" or "/proc/bus" or "/proc/irq" or "/proc/sysrq-trigger"),
                m => Assert.Contains("ro", m[3].Split(',')));
            Assert.All(
                mounts.Where(m => m[2] == "tmpfs" && m[3].Split(',').Contains("rw") && !m[1].StartsWith("/proc/", StringComparison.Ordinal)),
                m => Assert.Contains(m[3].Split(','), o => o.StartsWith("size=", StringComparison.Ordinal)));
            Assert.Contains(mounts, m => m[1] == "/");
            Assert.DoesNotContain(mounts, m => m[1].StartsWith("/sys/fs", StringComparison.Ordinal));
        }

        await OciTraces.AssertGoneAsync(image.Workspace);
    }

    [Fact]
    public async Task A_working_folder_of_the_system_is_refused()
    {
        OciRuntime runtime = OciImages.Runtime();
        FunctionImage image = (await hello.GetImageAsync(_folder)).WithConfig(c => c["WorkingDir"] = "/proc/self/fd/7");

        FunctionBuildException e = await runtime.FailToStart(image.ToStart(), image.Workspace);

        Assert.Equal("WorkingFolderUnsafe", e.ErrorId);
    }

    [Fact]
    public async Task A_workspace_may_have_any_path()
    {
        OciRuntime runtime = OciImages.Runtime();
        using var workspace = BuildWorkspace.Create(_folder.Combine("it's \"a\" $(path) `with` \\ everything; * é"));
        FunctionImage image = await hello.GetImageAsync(workspace);

        await using (RunningFunction running = await runtime.StartAsync(image.ToStart(), Cancellation))
        {
            await AssertAnswers(running);
        }

        await OciTraces.AssertGoneAsync(workspace);
    }

    [Fact]
    public async Task A_limit_of_memory_holds()
    {
        const long Limit = 512L * 1024 * 1024;
        OciRuntime runtime = OciImages.Runtime(new OciRuntimeOptions { MemoryLimit = Limit });
        FunctionImage image = await hello.GetImageAsync(_folder);
        RunningFunction running;
        try
        {
            running = await runtime.StartAsync(image.ToStart(), Cancellation);
        }
        catch (FunctionBuildException e) when (e.ErrorId == "MemoryLimitUnavailable")
        {
            Assert.Skip(e.Message);
            throw;
        }

        await using (running)
        {
            string[] files = [.. File.ReadLines($"/proc/{ProcessOf(image)}/cgroup")
                .Select(l => l.Split(':', 3))
                .SelectMany(f => new[] { $"/sys/fs/cgroup/memory{f[2]}/memory.limit_in_bytes", $"/sys/fs/cgroup{f[2]}/memory.max" })
                .Where(File.Exists)];
            Assert.Contains(files, f => File.ReadAllText(f).Trim() == $"{Limit}");
        }

        await OciTraces.AssertGoneAsync(image.Workspace);
    }

    private static string ProcessOf(FunctionImage image) =>
        File.ReadAllText(Directory.EnumerateFiles(Path.Combine(image.Workspace.Path, "processes")).Single()).Split(' ')[0];

    /// <summary>Calls the function.</summary>
    internal static async Task AssertAnswers(RunningFunction running)
    {
        using var handler = new SocketsHttpHandler { ConnectCallback = async (_, token) => await running.ConnectAsync(token) };
        using var channel = GrpcChannel.ForAddress("http://function", new GrpcChannelOptions { HttpHandler = handler });
        var client = new FunctionRunnerService.FunctionRunnerServiceClient(channel);
        await client.RunFunctionAsync(new RunFunctionRequest(), deadline: DateTime.UtcNow.AddSeconds(30), cancellationToken: Cancellation);
    }

    private static IEnumerable<string> Roots(BuildWorkspace workspace)
    {
        string folder = Path.Combine(workspace.Path, "rootfs");
        return Directory.Exists(folder) ? Directory.EnumerateDirectories(folder) : [];
    }
}
