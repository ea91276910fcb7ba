using System.Diagnostics;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Pester;

/// <summary>Runs the Pester suites where PowerShell 7.6 and Pester 5 are installed.</summary>
public sealed class PesterTests
{
    private static readonly Lazy<string?> Missing = new(FindMissing);

    public static TheoryData<string> Suites =>
        [.. Directory.EnumerateFiles(Path.Combine(Built.Repository, "tests", "Pester"), "*.Tests.ps1").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task Suite_passes(string suite)
    {
        if (Missing.Value is { } missing)
        {
            Assert.Skip(missing);
        }

        string path = Path.Combine(Built.Repository, "tests", "Pester", suite);

        (int exitCode, string output) = await RunAsync($$"""
            $configuration = New-PesterConfiguration @{
                Run = @{ Path = '{{path}}'; Exit = $true }
                Output = @{ Verbosity = 'Detailed'; RenderMode = 'Plaintext' }
            }
            Invoke-Pester -Configuration $configuration
            """);

        Assert.True(exitCode == 0, output);
    }

    private static string? FindMissing()
    {
        try
        {
            (int exitCode, string output) = RunAsync("""
                if ($PSVersionTable.PSVersion -lt '7.6') { "PowerShell 7.6 is needed; pwsh is $($PSVersionTable.PSVersion)."; exit 1 }
                $pester = Get-Module Pester -ListAvailable | Where-Object Version -GE '5.0'
                if (-not $pester) { 'The module Pester 5 is not installed.'; exit 1 }
                """).GetAwaiter().GetResult();
            return exitCode == 0 ? null : output.Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "PowerShell (pwsh) is not installed.";
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", "-Command", command]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await errors);
    }
}
