using System.Management.Automation;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Shell;

/// <summary>Lets a workspace be named by its id, or by any object that has one.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class WorkspaceTransformAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (value is string id)
        {
            return WorkspaceNamed(id) ?? throw new ArgumentTransformationMetadataException(Faults.WorkspaceNotFound(id).Message);
        }

        return WorkspaceOf(value) ?? inputData;
    }

    /// <summary>The session's workspace of that id; null when there is none.</summary>
    internal static BuildWorkspace? WorkspaceNamed(string id) =>
        WorkspaceSession.Workspaces.FirstOrDefault(w => w.Id.Equals(id, StringComparison.OrdinalIgnoreCase));

    /// <summary>The workspace that an object is or has; null when there is none.</summary>
    internal static BuildWorkspace? WorkspaceOf(object? value)
    {
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (plain is BuildWorkspace workspace)
        {
            return workspace;
        }

        object? property = value is null ? null : PSObject.AsPSObject(value).Properties["Workspace"]?.Value;
        return (property is PSObject inner ? inner.BaseObject : property) as BuildWorkspace;
    }
}
