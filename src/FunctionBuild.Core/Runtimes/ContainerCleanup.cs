namespace FunctionBuild.Core.Runtimes;

/// <summary>What becomes of a container when the function is no longer needed.</summary>
public enum ContainerCleanup
{
    /// <summary>It is stopped and removed.</summary>
    Remove,

    /// <summary>It is stopped and kept.</summary>
    Stop,

    /// <summary>It goes on running.</summary>
    Orphan,
}
