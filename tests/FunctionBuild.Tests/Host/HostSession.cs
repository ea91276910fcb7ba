using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Host;

public sealed class HostSession
{
    [Fact]
    public async Task Help_names_exactly_the_commands_there_are()
    {
        HostResult help = await HostProcess.Run("--help");
        HostResult list = await HostProcess.Run("-Command", "Get-Command -ListImported -CommandType Cmdlet, Function | Where-Object Source -ne FunctionBuild | ForEach-Object Name");
        string[] named = help.Output.Split("nothing more:\n")[1].Split("\n\n")[0].Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, help.ExitCode);
        Assert.Contains("Where-Object", named);
        Assert.Equal(list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_module_is_loaded_and_another_shells_modules_are_not_found()
    {
        using ScriptFile shell = new("");
        Directory.CreateDirectory(Path.Combine(shell.Folder, "Microsoft.PowerShell.Utility"));
        HostResult result = await HostProcess.Run(
            ["-Command", "(Get-Command Import-FunctionTarball).Source; $env:PSModulePath"],
            environment: new Dictionary<string, string> { ["PSModulePath"] = shell.Folder });
        Assert.StartsWith("FunctionBuild\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(shell.Folder, result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 129)]
    public async Task A_signal_stops_the_script_and_lets_it_clean_up(string signal, int exitCode)
    {
        HostProcess.MustTakeSignals();
        using ScriptFile script = new(
            """
            $w = New-BuildWorkspace
            [System.Console]::Out.WriteLine($w.Path)
            try { while ($true) {} } finally { [System.Console]::Error.WriteLine('cleaned up') }
            """);
        using HostProcess host = HostProcess.Start(script.Path);
        string? workspace = await host.ReadLine();
        Assert.True(Directory.Exists(workspace));
        host.Signal(signal);
        Assert.Equal(new HostResult(exitCode, "", "cleaned up\n"), await host.End());
        Assert.False(Directory.Exists(workspace));
    }

    [Fact]
    public async Task A_second_interrupt_does_not_wait()
    {
        HostProcess.MustTakeSignals();
        using ScriptFile script = new(
            """
            [System.Console]::Out.WriteLine('ready')
            try { while ($true) {} }
            finally { [System.Console]::Out.WriteLine('stopping'); [System.Threading.Thread]::Sleep(-1) }
            """);
        using HostProcess host = HostProcess.Start(script.Path);
        Assert.Equal("ready", await host.ReadLine());
        host.Signal("INT");
        Assert.Equal("stopping", await host.ReadLine());
        host.Signal("INT");
        Assert.Equal(130, (await host.End()).ExitCode);
    }
}
