namespace FunctionBuild.Core.Workspaces;

/// <summary>A workspace that a dead session left behind.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Path">Its folder.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="Size">What it takes on disk, in bytes.</param>
public sealed record StaleWorkspace(string Id, string Path, DateTimeOffset CreatedAt, long Size)
{
    /// <summary>Always <see cref="WorkspaceState.Stale"/>.</summary>
    public WorkspaceState State { get; } = WorkspaceState.Stale;
}
