using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Host;

public sealed class HostExitCodes
{
    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("throw 'no'", 1)]
    [InlineData("No-SuchCommand", 1)]
    [InlineData("No-SuchCommand; 'fine'", 0)]
    [InlineData("if (", 1)]
    public async Task A_command_ends_with(string command, int expected) =>
        Assert.Equal(expected, (await HostProcess.Run("-Command", command)).ExitCode);

    [Theory]
    [InlineData("function f { exit 9 }; f; 'no'", 9)]
    [InlineData("'before'; throw 'no'", 1)]
    [InlineData("No-SuchCommand", 0)]
    public async Task A_script_ends_with(string text, int expected)
    {
        using ScriptFile script = new(text);
        Assert.Equal(expected, (await HostProcess.Run(script.Path)).ExitCode);
    }

    [Theory]
    [InlineData("-Bogus")]
    [InlineData("-Command")]
    [InlineData("no-such-script.ps1")]
    [InlineData("Get-Module")]
    public async Task Bad_usage_is_said_on_standard_error(string argument)
    {
        HostResult result = await HostProcess.Run(argument);
        Assert.Equal(64, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains(argument, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_from_standard_input_run_one_after_another()
    {
        HostResult result = await HostProcess.Run([], input: "1 + 1\nif ($true) {\n  'inside'\n}\n\nthrow 'no'\n'goes on'\nNo-SuchCommand");
        Assert.Equal((1, "2\ninside\ngoes on\n"), (result.ExitCode, result.Output));
        Assert.Contains("Exception: no", result.Error, StringComparison.Ordinal);
        Assert.Equal(new HostResult(4, "1\n", ""), await HostProcess.Run(["-Command", "-"], input: "1\nexit 4\n'no'"));
    }
}
