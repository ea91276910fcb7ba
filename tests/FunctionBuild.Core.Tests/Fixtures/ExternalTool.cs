using System.ComponentModel;
using System.Diagnostics;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Runs programs that a machine may lack; a test that needs a missing one is skipped.</summary>
internal static class ExternalTool
{
    /// <summary>Runs a program to its end and returns what it wrote; fails the test when it fails.</summary>
    public static async Task<string> Run(string tool, params IEnumerable<string> arguments)
    {
        using Process process = Start(tool, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{tool} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
        return output;
    }

    /// <summary>Starts a program; the caller ends it.</summary>
    public static Process Start(string tool, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(tool, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{tool} is not installed.");
            throw;
        }
    }
}
