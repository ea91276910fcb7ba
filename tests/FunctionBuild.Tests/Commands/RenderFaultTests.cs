using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Tests.Runtimes.Oci;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

/// <summary>
/// A function that misbehaves, from its tarball to the error, in an OCI runtime and in Podman: the error says what is
/// wrong, nothing flows on, and nothing that was started is left.
/// </summary>
[Collection(PodmanService.Collection)]
public sealed class RenderFaultTests : IClassFixture<FaultyFunction>, IAsyncDisposable
{
    private const string Step = "Pipeline step 'faulty'";

    // In seconds: enough to load and start the function, unless the machine is busy; and more than any other step needs.
    private const int OciTime = 12;
    private const int PodmanTime = 20;
    private const int LongTime = 180;
    private const int BusyFactor = 4;

    private static readonly string[] Kept = ["containers", "processes", "rootfs"];

    private readonly FaultyFunction _faulty;
    private readonly PodmanService _podman;
    private readonly ModuleSession _session = new();
    private readonly string? _oldTemporary = Environment.GetEnvironmentVariable("TMPDIR");

    public RenderFaultTests(FaultyFunction faulty, PodmanService podman)
    {
        (_faulty, _podman) = (faulty, podman);
        Directory.CreateDirectory(Temporary);
    }

    /// <summary>The fault, whether only time ends it, the error's id, and what its message has.</summary>
    public static TheoryData<string, bool, string, string[]> Faults => new()
    {
        { "never-listens", true, "FunctionNotListening", ["port 9443", "seconds", "starts, with the fault 'never-listens'"] },
        { "speaks-http1", true, "FunctionNotListening", ["port 9443", "seconds", "starts, with the fault 'speaks-http1'"] },
        { "exits", false, "FunctionExited", ["exit code 3", "there is no database"] },
        { "hangs", true, "RenderTimeout", ["-Timeout", "Step 1 of 1: function-faulty", "function-faulty is called"] },
        { "exits-when-called", false, "FunctionUnavailable", [Step, "broke the call off", "function-faulty is called"] },
        { "fails", false, "FunctionCallFailed", [Step, "Internal: there is no database", "function-faulty is called"] },
        { "answers-garbage", false, "FunctionAnswerInvalid", [Step, "not a RunFunctionResponse", "function-faulty is called"] },
        { "is-fatal", false, "FunctionFatal", ["step 'faulty'", "there is no database"] },
        { "never-settles", false, "FunctionRequirementsUnstable", [Step, "after 5 rounds", "'page-6'"] },
        { "is-large", false, "FunctionAnswerTooLarge", [Step, "4 MiB", "function-faulty is called"] },
    };

    /// <summary>Those of the faults that a runtime notices.</summary>
    public static TheoryData<string, bool, string, string[]> RuntimeFaults =>
        [.. Faults.Where(f => f.Data.Item1 is "never-listens" or "exits" or "hangs" or "exits-when-called")];

    private string Temporary => _session.Folder.Combine("temporary");

    public async ValueTask DisposeAsync()
    {
        _session.Dispose();
        await _podman.EndTestAsync();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task In_an_OCI_runtime_a_fault_is_told_and_leaves_nothing(string fault, bool isEndless, string errorId, string[] told)
    {
        RealFunctionTests.SkipWithoutOciRuntime();
        await FailAsync(fault, "Oci", isEndless ? OciTime : LongTime, errorId, told);
    }

    // What a function answers does not depend on where it runs; whether it runs and listens does.
    [Theory]
    [MemberData(nameof(RuntimeFaults))]
    public async Task In_podman_a_fault_is_told_and_leaves_nothing(string fault, bool isEndless, string errorId, string[] told)
    {
        await _podman.StartAsync();
        const string Variable = "DOCKER_HOST";
        string? before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, _podman.Address);
        try
        {
            await FailAsync(fault, "Docker", isEndless ? PodmanTime : LongTime, errorId, told);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, before);
        }

        Assert.Empty(await _podman.ListAsync());
    }

    private async Task FailAsync(string fault, string runtime, int seconds, string errorId, string[] told)
    {
        string tarball = await _faulty.GetTarballAsync();
        _session.Get("""
            $images = Import-FunctionTarball $args[0] | Build-FunctionImage registry.example.com/acme/function-faulty
            $function = @{
                apiVersion = 'pkg.crossplane.io/v1'; kind = 'Function'
                metadata = @{ name = 'function-faulty'; annotations = @{ 'render.crossplane.io/runtime-docker-env' = "FAULT=$($args[1])" } }
                spec = @{ package = 'registry.example.com/acme/function-faulty:v1' }
            }
            $composition = @{
                apiVersion = 'apiextensions.crossplane.io/v1'; kind = 'Composition'; metadata = @{ name = 'faulty' }
                spec = @{
                    mode = 'Pipeline'; compositeTypeRef = @{ apiVersion = 'example.com/v1'; kind = 'Greeting' }
                    pipeline = @(@{ step = 'faulty'; functionRef = @{ name = 'function-faulty' } })
                }
            }
            """, tarball, fault);
        string[] before = [.. Folders()];

        ShellResult result = Render(seconds);
        if (seconds < LongTime && result.EndedBy != errorId && result.EndedBy is "RenderTimeout" or "FunctionNotListening")
        {
            // Its time was over before the function came to its fault.
            result = Render(seconds * BusyFactor);
        }

        Assert.NotNull(result.Ended);
        string message = result.Ended.Exception.Message;
        Assert.True(errorId == result.EndedBy, $"{result.EndedBy}: {message}");
        Assert.All([FaultyFunction.Name, .. told], text => Assert.True(message.Contains(text, StringComparison.Ordinal), $"'{text}' is not in: {message}"));
        Assert.Empty(result.Output);
        Assert.False(File.Exists(_session.Folder.Combine("out.yaml")));
        Assert.Equal(before, Folders());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Temporary));
        foreach (string folder in (IEnumerable<string>)[_session.Folder.Path, .. _session.WorkspaceFolders])
        {
            await OciTraces.AssertGoneAsync(folder);
        }

        ShellResult Render(int limit)
        {
            Environment.SetEnvironmentVariable("TMPDIR", Temporary);
            try
            {
                return _session.Run(
                    "$images | Invoke-FunctionRender $args[0] $composition $function -Runtime $args[1] -Timeout $args[2] -OutFile out.yaml -PassThru",
                    Path.Combine(Built.Repository, "examples", "xr.yaml"),
                    runtime,
                    limit);
            }
            finally
            {
                Environment.SetEnvironmentVariable("TMPDIR", _oldTemporary);
            }
        }
    }

    /// <summary>The session's folders, without those that a workspace has from its first render on: of unpacked images, and the empty ones for containers.</summary>
    private IEnumerable<string> Folders() => Directory.EnumerateDirectories(_session.Folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })
        .Select(folder => Path.GetRelativePath(_session.Folder.Path, folder))
        .Where(folder => !Array.Exists(Kept, kept => folder.Split('/') is [_, _, var name, ..] && name == kept))
        .Order(StringComparer.Ordinal);
}
