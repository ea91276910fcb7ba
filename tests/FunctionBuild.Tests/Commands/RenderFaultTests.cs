using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Tests.Runtimes.Oci;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

/// <summary>
/// A function that misbehaves, from its tarball to the error, in an OCI runtime and in Podman: the error says what is
/// wrong, nothing flows on, and nothing that was started is left.
/// </summary>
[Collection(PodmanService.Collection)]
public sealed class RenderFaultTests : IClassFixture<FaultyFunction>, IDisposable
{
    private const string Step = "Pipeline step 'faulty'";

    // What a fault has to end by, where only time can end it, and more than any other needs.
    private const int Short = 12;
    private const int Long = 180;

    private readonly FaultyFunction _faulty;
    private readonly PodmanService _podman;
    private readonly ModuleSession _session = new();
    private readonly string? _oldTemporary = Environment.GetEnvironmentVariable("TMPDIR");

    public RenderFaultTests(FaultyFunction faulty, PodmanService podman)
    {
        (_faulty, _podman) = (faulty, podman);
        Directory.CreateDirectory(Temporary);
    }

    /// <summary>The fault, the time in seconds, the error's id, and what its message has.</summary>
    public static TheoryData<string, int, string, string[]> Faults => new()
    {
        { "never-listens", Short, "FunctionNotListening", ["port 9443", "seconds", "starts, with the fault 'never-listens'"] },
        { "speaks-http1", Short, "FunctionNotListening", ["port 9443", "seconds", "starts, with the fault 'speaks-http1'"] },
        { "exits", Long, "FunctionExited", ["exit code 3", "there is no database"] },
        { "hangs", Short, "RenderTimeout", ["-Timeout", "Step 1 of 1: function-faulty", "function-faulty is called"] },
        { "exits-when-called", Long, "FunctionUnavailable", [Step, "broke the call off", "function-faulty is called"] },
        { "fails", Long, "FunctionCallFailed", [Step, "Internal: there is no database", "function-faulty is called"] },
        { "answers-garbage", Long, "FunctionAnswerInvalid", [Step, "not a RunFunctionResponse", "function-faulty is called"] },
        { "is-fatal", Long, "FunctionFatal", ["step 'faulty'", "there is no database"] },
        { "never-settles", Long, "FunctionRequirementsUnstable", [Step, "after 5 rounds", "'page-6'"] },
        { "is-large", Long, "FunctionAnswerTooLarge", [Step, "4 MiB", "function-faulty is called"] },
    };

    private string Temporary => _session.Folder.Combine("temporary");

    public void Dispose() => _session.Dispose();

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task In_an_OCI_runtime_a_fault_is_told_and_leaves_nothing(string fault, int seconds, string errorId, string[] told)
    {
        RealFunctionTests.SkipWithoutOciRuntime();
        await FailAsync(fault, "Oci", seconds, errorId, told);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task In_podman_a_fault_is_told_and_leaves_nothing(string fault, int seconds, string errorId, string[] told)
    {
        await _podman.StartAsync();
        const string Variable = "DOCKER_HOST";
        string? before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, _podman.Address);
        try
        {
            await FailAsync(fault, "Docker", seconds, errorId, told);
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

        ShellResult result;
        Environment.SetEnvironmentVariable("TMPDIR", Temporary);
        try
        {
            result = _session.Run(
                "$images | Invoke-FunctionRender $args[0] $composition $function -Runtime $args[1] -Timeout $args[2] -OutFile out.yaml -PassThru",
                Path.Combine(Built.Repository, "examples", "xr.yaml"),
                runtime,
                seconds);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TMPDIR", _oldTemporary);
        }

        Assert.NotNull(result.Ended);
        string message = result.Ended.Exception.Message;
        Assert.True(errorId == result.EndedBy, $"{result.EndedBy}: {message}");
        Assert.All([FaultyFunction.Name, .. told], text => Assert.Contains(text, message));
        Assert.Empty(result.Output);
        Assert.False(File.Exists(_session.Folder.Combine("out.yaml")));
        Assert.Equal(before, Folders());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Temporary));
        foreach (string folder in (IEnumerable<string>)[_session.Folder.Path, .. _session.WorkspaceFolders])
        {
            await OciTraces.AssertGoneAsync(folder);
        }
    }

    /// <summary>The session's folders. Containers have theirs in one that stays, and unpacked images are kept for the next render.</summary>
    private IEnumerable<string> Folders() => Directory.EnumerateDirectories(_session.Folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })
        .Select(folder => Path.GetRelativePath(_session.Folder.Path, folder))
        .Where(folder => !folder.Contains("rootfs", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);
}
