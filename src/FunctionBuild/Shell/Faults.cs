using System.Management.Automation;
using System.Text.Json.Nodes;
using FunctionBuild.Core;

namespace FunctionBuild.Shell;

/// <summary>The core's errors as PowerShell has them.</summary>
internal static class Faults
{
    /// <summary>The record of an error, with its own id.</summary>
    /// <param name="fault">The error.</param>
    /// <param name="target">The object that it is about; the one that the error itself names when null.</param>
    public static ErrorRecord ToRecord(FunctionBuildException fault, object? target = null)
    {
        ErrorCategory category = fault.Kind switch
        {
            FaultKind.InvalidData => ErrorCategory.InvalidData,
            FaultKind.InvalidArgument => ErrorCategory.InvalidArgument,
            FaultKind.NotFound => ErrorCategory.ObjectNotFound,
            FaultKind.AlreadyExists => ErrorCategory.ResourceExists,
            FaultKind.InvalidOperation => ErrorCategory.InvalidOperation,
            FaultKind.LimitExceeded => ErrorCategory.LimitsExceeded,
            FaultKind.Read => ErrorCategory.ReadError,
            FaultKind.Write => ErrorCategory.WriteError,
            FaultKind.Authentication => ErrorCategory.AuthenticationError,
            FaultKind.Permission => ErrorCategory.PermissionDenied,
            FaultKind.Connection => ErrorCategory.ConnectionError,
            _ => ErrorCategory.NotSpecified,
        };

        // A script can use what the shell makes of JSON, and not JSON itself.
        return new ErrorRecord(fault, fault.ErrorId, category, target ?? (fault.TargetObject is JsonNode json ? JsonConversion.FromJson(json) : fault.TargetObject));
    }

    /// <summary>No workspace of the session has the id.</summary>
    public static FunctionBuildException WorkspaceNotFound(string id) =>
        new("WorkspaceNotFound", FaultKind.NotFound, $"No workspace of this session has the id '{id}'. Get-BuildWorkspace lists them.", id);
}
