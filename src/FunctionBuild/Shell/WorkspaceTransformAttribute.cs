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
            return WorkspaceSession.Workspaces.FirstOrDefault(w => w.Id.Equals(id, StringComparison.OrdinalIgnoreCase))
                ?? throw new ArgumentTransformationMetadataException($"No workspace of this session has the id '{id}'. Get-BuildWorkspace lists them.");
        }

        return WorkspaceOf(value) ?? inputData;
    }

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
