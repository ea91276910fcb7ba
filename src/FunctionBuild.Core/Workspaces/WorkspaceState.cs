namespace FunctionBuild.Core.Workspaces;

/// <summary>Whether a workspace can be used.</summary>
public enum WorkspaceState
{
    /// <summary>In use by this session.</summary>
    Open,

    /// <summary>Removed; its files are gone.</summary>
    Removed,

    /// <summary>Left behind by a session that was killed.</summary>
    Stale,
}
