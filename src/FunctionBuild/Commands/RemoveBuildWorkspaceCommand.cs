using System.Management.Automation;
using FunctionBuild.Core;
using FunctionBuild.Core.Workspaces;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>
/// Removes workspaces. It waits for the end of its input, so that at the end of a pipeline it does not take the
/// workspace away from objects that are still on their way.
/// </summary>
[Cmdlet(VerbsCommon.Remove, "BuildWorkspace", SupportsShouldProcess = true, DefaultParameterSetName = ObjectSet)]
public sealed class RemoveBuildWorkspaceCommand : PSCmdlet
{
    private const string ObjectSet = "Object";
    private const string StaleSet = "Stale";
    private const string Action = "Remove the build workspace";

    private readonly List<object> _found = [];

    /// <summary>A workspace, its id, or any object that has a workspace.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ObjectSet)]
    [ArgumentCompleter(typeof(WorkspaceIdCompleter))]
    public object[] InputObject { get; set; } = [];

    /// <summary>Remove what dead sessions left.</summary>
    [Parameter(Mandatory = true, ParameterSetName = StaleSet)]
    public SwitchParameter Stale { get; set; }

    /// <summary>The folder in which to look for what dead sessions left; where workspaces are made by default when not given.</summary>
    [Parameter(ParameterSetName = StaleSet)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (object input in InputObject)
        {
            try
            {
                _found.Add(Find(input));
            }
            catch (FunctionBuildException e)
            {
                WriteError(Faults.ToRecord(e));
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            if (Stale)
            {
                RemoveStale(Path is null ? null : PathInput.Literal(this, Path), _ => true);
            }
        }
        catch (FunctionBuildException e)
        {
            ThrowTerminatingError(Faults.ToRecord(e));
        }

        foreach (object found in _found.Distinct())
        {
            if (found is StaleWorkspace stale)
            {
                RemoveStale(System.IO.Path.GetDirectoryName(stale.Path), s => s.Path == stale.Path);
            }
            else
            {
                Remove((BuildWorkspace)found);
            }
        }
    }

    private static object Find(object input)
    {
        object plain = input is PSObject wrapped ? wrapped.BaseObject : input;
        return plain switch
        {
            StaleWorkspace stale => stale,
            string id => WorkspaceTransformAttribute.WorkspaceNamed(id) ?? throw Faults.WorkspaceNotFound(id),
            _ => WorkspaceTransformAttribute.WorkspaceOf(input) ?? throw new FunctionBuildException(
                "ObjectHasNoWorkspace",
                FaultKind.InvalidArgument,
                $"An object of type {plain.GetType()} has no workspace. Give a workspace, its id, or an object of this module that has one.",
                plain),
        };
    }

    private void Remove(BuildWorkspace workspace)
    {
        if (workspace.State == WorkspaceState.Removed)
        {
            WriteVerbose($"The workspace {workspace.Id} was removed before.");
            return;
        }

        if (ShouldProcess($"{workspace.Id} ({workspace.Path})", Action))
        {
            Try(workspace.Path, () =>
            {
                workspace.Dispose();
                WriteVerbose($"Removed the workspace {workspace.Id} ('{workspace.Path}').");
            });
        }
    }

    private void RemoveStale(string? root, Func<StaleWorkspace, bool> wanted) => Try(root, () =>
    {
        foreach (StaleWorkspace removed in WorkspaceSession.Sweep(root, s => wanted(s) && ShouldProcess($"{s.Id} ({s.Path})", Action)))
        {
            WriteVerbose($"Removed the workspace {removed.Id} ('{removed.Path}'), {ByteSize.Format(removed.Size)}, which a dead session had left.");
        }
    });

    private void Try(string? path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WriteError(Faults.ToRecord(new FunctionBuildException("WorkspaceNotRemoved", FaultKind.Write, $"'{path}' cannot be removed: {e.Message} Remove-BuildWorkspace -Stale tries again.", path, e)));
        }
    }
}
