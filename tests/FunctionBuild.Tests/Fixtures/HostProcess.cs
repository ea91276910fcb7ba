using System.Diagnostics;
using System.Globalization;

namespace FunctionBuild.Tests.Fixtures;

/// <summary>The built host, running as a process of its own.</summary>
internal sealed class HostProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _error;

    private HostProcess(string[] arguments, IReadOnlyDictionary<string, string>? environment)
    {
        ProcessStartInfo start = new(Built.Host, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _error = _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Starts the host and leaves it running.</summary>
    public static HostProcess Start(params string[] arguments) => new(arguments, null);

    /// <summary>Starts the host, which makes its workspaces in a folder, and leaves it running.</summary>
    public static HostProcess StartIn(string workspaceRoot, params string[] arguments) => new(arguments, RootVariable(workspaceRoot));

    /// <summary>Runs the host, which makes its workspaces in a folder, to its end.</summary>
    public static Task<HostResult> RunIn(string workspaceRoot, params string[] arguments) => Run(arguments, environment: RootVariable(workspaceRoot));

    /// <summary>Runs the host to its end.</summary>
    public static Task<HostResult> Run(params string[] arguments) => Run(arguments, input: "");

    /// <summary>Runs the host to its end, with text on its standard input.</summary>
    public static async Task<HostResult> Run(string[] arguments, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        using HostProcess host = new(arguments, environment);
        await host._process.StandardInput.WriteAsync(input);
        return await host.End();
    }

    /// <summary>Reads a line of the output, to know how far a script has come.</summary>
    public ValueTask<string?> ReadLine() => _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

    /// <summary>Skips a test where the host can't be sent a signal: on Windows, or where it would inherit that interrupts are ignored.</summary>
    public static void MustTakeSignals()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send.");
        const string Status = "/proc/self/status";
        string ignored = File.Exists(Status) ? File.ReadLines(Status).Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim() : "0";
        Assert.SkipWhen((ulong.Parse(ignored, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 0b10) != 0, "Interrupts are ignored here, as in a shell's background.");
    }

    /// <summary>Sends a signal by the name that <c>kill</c> knows it by; only where there are signals.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Waits for the end; the output is what was not read before.</summary>
    public async Task<HostResult> End()
    {
        _process.StandardInput.Close();
        string output = await _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await _error;
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new HostResult(_process.ExitCode, output.ReplaceLineEndings("\n"), error.ReplaceLineEndings("\n"));
    }

    /// <summary>Ends it without giving it a chance to clean up.</summary>
    public async Task Kill()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static Dictionary<string, string> RootVariable(string folder) => new() { ["FUNCTIONBUILD_WORKSPACE_ROOT"] = folder };
}
