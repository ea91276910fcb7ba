using System.Management.Automation;
using FunctionBuild.Core;
using FunctionBuild.Core.Workspaces;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Lists the session's workspaces, or those that dead sessions left.</summary>
[Cmdlet(VerbsCommon.Get, "BuildWorkspace", DefaultParameterSetName = OpenSet)]
[OutputType(typeof(BuildWorkspace), ParameterSetName = [OpenSet])]
[OutputType(typeof(StaleWorkspace), ParameterSetName = [StaleSet])]
public sealed class GetBuildWorkspaceCommand : PSCmdlet
{
    private const string OpenSet = "Open";
    private const string StaleSet = "Stale";

    /// <summary>Ids of the workspaces; wildcards are allowed. All of the session when not given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = OpenSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(WorkspaceIdCompleter))]
    public string[]? Id { get; set; }

    /// <summary>List what dead sessions left.</summary>
    [Parameter(Mandatory = true, ParameterSetName = StaleSet)]
    public SwitchParameter Stale { get; set; }

    /// <summary>The folder in which to look for what dead sessions left; where workspaces are made by default when not given.</summary>
    [Parameter(ParameterSetName = StaleSet)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            if (Stale)
            {
                WriteObject(WorkspaceSession.FindStale(Path is null ? null : PathInput.Literal(this, Path)), enumerateCollection: true);
                return;
            }

            foreach (string id in Id ?? ["*"])
            {
                WriteWorkspaces(id);
            }
        }
        catch (FunctionBuildException e)
        {
            ThrowTerminatingError(Faults.ToRecord(e));
        }
    }

    private void WriteWorkspaces(string id)
    {
        var pattern = WildcardPattern.Get(id, WildcardOptions.IgnoreCase);
        List<BuildWorkspace> found = [.. WorkspaceSession.Workspaces.Where(w => pattern.IsMatch(w.Id))];
        if (found.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(id))
        {
            WriteError(Faults.ToRecord(Faults.WorkspaceNotFound(id)));
        }

        WriteObject(found, enumerateCollection: true);
    }
}
