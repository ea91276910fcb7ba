using System.Diagnostics;

namespace FunctionBuild.Tests.Fixtures;

/// <summary>The embedded host as a process of its own.</summary>
internal static class HostProcess
{
    /// <summary>Starts it with its streams redirected and workspaces made in a folder.</summary>
    public static Process Start(string workspaceRoot, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Built.Host, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["FUNCTIONBUILD_WORKSPACE_ROOT"] = workspaceRoot;
        return Process.Start(start)!;
    }

    /// <summary>Runs it to its end: exit code, output and errors.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string workspaceRoot, params string[] arguments)
    {
        using Process process = Start(workspaceRoot, arguments);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
