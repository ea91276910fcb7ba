using System.Management.Automation;

namespace FunctionBuild.Tests.Help;

/// <summary>What the tests of the help tool document.</summary>
[Cmdlet(VerbsCommon.Get, "HelpSample", SupportsShouldProcess = true, DefaultParameterSetName = "ByName")]
[OutputType(typeof(Version))]
public sealed class GetSampleCommand : PSCmdlet
{
    [Parameter(ParameterSetName = "ById", Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Number", "No")]
    public int? Id { get; set; }

    [Parameter]
    public DayOfWeek[] Day { get; set; } = [];

    [Parameter(ParameterSetName = "ByName", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    public string[] Name { get; set; } = [];

    [Parameter]
    [ValidateSet("Low", "High")]
    public string? Level { get; set; }

    [Parameter(DontShow = true)]
    public SwitchParameter Hidden { get; set; }
}
