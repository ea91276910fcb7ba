namespace FunctionBuild.Core.Runtimes;

/// <summary>
/// What becomes of a container when the function is no longer needed. With <see cref="Stop"/> and <see cref="Orphan"/> the
/// image stays too; the one that was loaded for it is named <c>localhost/functionbuild:&lt;hex of the config digest&gt;</c>, and
/// goes with <c>docker rm -f</c> of the container and <c>docker rmi</c> of the image.
/// </summary>
public enum ContainerCleanup
{
    /// <summary>It is stopped and removed.</summary>
    Remove,

    /// <summary>It is stopped and kept.</summary>
    Stop,

    /// <summary>It goes on running.</summary>
    Orphan,
}
