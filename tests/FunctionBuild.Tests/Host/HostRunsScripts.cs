using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Host;

public sealed class HostRunsScripts
{
    [Fact]
    public async Task Arguments_are_bound_as_at_a_prompt()
    {
        using ScriptFile script = new(
            """
            param([string] $Name, [switch] $Force, [switch] $Quiet, [int] $Count)
            "$Name|$Force|$Quiet|$Count|$($args -join ',')|$PSScriptRoot"
            """);
        HostResult result = await HostProcess.Run(script.Path, "-Name", "x y", "-Force", "-Quiet:$false", "-Count:3", "-Odd", "b", "--", "-Name", "-5");
        Assert.Equal(new HostResult(0, $"x y|True|False|3|-Odd,b,-Name,-5|{script.Folder}\n", ""), result);
    }

    [Fact]
    public async Task A_value_of_the_wrong_type_is_a_terminating_error()
    {
        using ScriptFile script = new("param([int] $Count) 'ran'");
        HostResult result = await HostProcess.Run(script.Path, "-Count", "many");
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains("'Count'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_stream_goes_to_its_place()
    {
        using ScriptFile script = new(
            """
            [CmdletBinding()] param()
            'output'
            [pscustomobject] @{ Left = 1; Right = 2 }
            $Host.UI.WriteLine('to the host')
            $PSCmdlet.WriteInformation([System.Management.Automation.HostInformationMessage] @{ Message = 'as Write-Host does' }, @('PSHOST'))
            $PSCmdlet.WriteInformation('not asked for', @())
            $PSCmdlet.WriteWarning('careful')
            $PSCmdlet.WriteVerbose('in detail')
            $PSCmdlet.WriteProgress([System.Management.Automation.ProgressRecord]::new(1, 'working', 'half-way'))
            [int]::Parse('x')
            'after the error'
            """);
        HostResult result = await HostProcess.Run(script.Path, "-Verbose");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            ["output", "to the host", "as Write-Host does", "Left Right", "---- -----", "   1     2", "after the error"],
            result.Output.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0));
        Assert.Contains("WARNING: careful\n", result.Error, StringComparison.Ordinal);
        Assert.Contains("VERBOSE: in detail\n", result.Error, StringComparison.Ordinal);
        Assert.Contains("a script.ps1:10", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("half-way", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', result.Output + result.Error);
    }

    [Fact]
    public async Task A_question_that_no_one_can_answer_is_an_error()
    {
        using ScriptFile script = new(
            """
            [CmdletBinding(SupportsShouldProcess)] param()
            if ($PSCmdlet.ShouldProcess('it')) { 'done' }
            """);
        HostResult result = await HostProcess.Run(script.Path, "-Confirm");
        Assert.Empty(result.Output);
        Assert.Contains("-Confirm:$false", result.Error, StringComparison.Ordinal);
    }
}
