using System.ComponentModel;
using System.Diagnostics;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Runs the field's own tools; a test is skipped where its tool is not installed.</summary>
internal static class Tool
{
    /// <summary>Runs a tool to its end and returns what it printed.</summary>
    public static async Task<byte[]> Run(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{name} is not installed.");
            throw;
        }

        using (process)
        {
            CancellationToken cancellation = TestContext.Current.CancellationToken;
            using var output = new MemoryStream();
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.StandardOutput.BaseStream.CopyToAsync(output, cancellation);
            await process.WaitForExitAsync(cancellation);
            Assert.True(process.ExitCode == 0, $"{name} {string.Join(' ', arguments)}: {await errors}");
            return output.ToArray();
        }
    }
}
