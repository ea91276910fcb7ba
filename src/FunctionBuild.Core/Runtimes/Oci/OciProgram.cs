namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>An OCI runtime's program.</summary>
/// <param name="Name">Its name, such as <c>runc</c>.</param>
/// <param name="Path">Its full path.</param>
internal sealed record OciProgram(string Name, string Path)
{
    private static readonly string[] Known = ["runc", "crun", "youki"];

    /// <summary>Finds a runtime: the one that is asked for, or the first known one.</summary>
    /// <param name="wanted">A name or path; null for any.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>OciRuntimeMissing</c>.</exception>
    public static OciProgram Find(string? wanted)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw Missing("OCI runtimes run on Linux only. Use a Docker-compatible engine here.", wanted);
        }

        return (wanted is null ? Known : [wanted]).Select(Look).FirstOrDefault(p => p is not null)
            ?? throw Missing(
                wanted is null
                    ? $"No OCI runtime was found: none of {string.Join(", ", Known)} is on the PATH. Install one (Debian, Ubuntu, Fedora: the package runc or crun), or use a Docker-compatible engine."
                    : $"The OCI runtime '{wanted}' was not found{(wanted.Contains('/') ? string.Empty : " on the PATH")}. Install it, or name another ({string.Join(", ", Known)}).",
                wanted);
    }

    /// <summary>The arguments that let the runtime do without control groups; none when it needs no telling, or cannot.</summary>
    public IReadOnlyList<string> WithoutControlGroups => Name switch
    {
        "runc" => ["--rootless", "true"],
        "crun" => ["--cgroup-manager", "disabled"],
        _ => [],
    };

    /// <summary>Whether the runtime has no way to do without control groups.</summary>
    public bool NeedsControlGroups => Name == "youki";

    /// <summary>Whether the runtime can do with version 2 of control groups beside version 1, when both have controllers.</summary>
    public bool KnowsMixedControlGroups => Name != "crun";

    /// <summary>Whether a container ended because the runtime could not start it. youki tells its process before it has made all that goes around it.</summary>
    /// <param name="exitCode">The exit code of the runtime's <c>run</c>.</param>
    /// <param name="log">What it and the container wrote.</param>
    public bool CouldNotStart(int exitCode, string log) =>
        Name == "youki" && exitCode == 255 && log.Contains("run failed : ", StringComparison.Ordinal);

    private static OciProgram? Look(string nameOrPath)
    {
        string? path = nameOrPath.Contains('/')
            ? File.Exists(nameOrPath) ? System.IO.Path.GetFullPath(nameOrPath) : null
            : SearchPath.Find(nameOrPath);
        return path is null ? null : new OciProgram(System.IO.Path.GetFileName(path), path);
    }

    private static FunctionBuildException Missing(string message, string? wanted) => new("OciRuntimeMissing", FaultKind.NotFound, message, wanted);
}
