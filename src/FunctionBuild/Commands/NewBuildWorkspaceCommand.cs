using System.Management.Automation;
using FunctionBuild.Core;
using FunctionBuild.Core.Workspaces;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Creates a workspace, for sharing it between imports.</summary>
[Cmdlet(VerbsCommon.New, "BuildWorkspace", SupportsShouldProcess = true)]
[OutputType(typeof(BuildWorkspace))]
public sealed class NewBuildWorkspaceCommand : PSCmdlet
{
    /// <summary>The folder in which the workspace's own folder is made.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            string root = Path is null ? WorkspaceSession.DefaultRoot : PathInput.Literal(this, Path);
            if (ShouldProcess(root, "Create a build workspace"))
            {
                WriteObject(BuildWorkspace.Create(root));
            }
        }
        catch (FunctionBuildException e)
        {
            ThrowTerminatingError(Faults.ToRecord(e));
        }
    }
}
