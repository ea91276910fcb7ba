using System.Runtime.Versioning;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// Control groups as a runtime needs to see them where the machine's are not mounted so. It is given a mount namespace of
/// its own with one more mount, and, when the caller is not root, the user namespace that this takes.
/// </summary>
/// <param name="Type">The type of file system that is mounted.</param>
/// <param name="Place">Where.</param>
internal sealed record ControlGroupView(string Type, string Place)
{
    private const string Mount = """
        "$1" -t "$2" none "$3" || exit 1
        shift 3
        exec "$@"
        """;

    /// <summary>What a runtime needs to see; null when it can do with what there is.</summary>
    public static ControlGroupView? For(OciProgram program, ControlGroups groups) =>
        !groups.AreMounted ? new ControlGroupView("cgroup2", ControlGroups.Place)
        : groups.AreMixed && !program.KnowsMixedControlGroups ? new ControlGroupView("tmpfs", ControlGroups.SecondPlace)
        : null;

    /// <summary>What is seen and why, to follow a sentence about the runtime.</summary>
    public string Describe(OciProgram program) => Type == "tmpfs"
        ? $", and does not see {Place}, because {program.Name} takes no control groups of version 2 with controllers beside version 1"
        : $", and sees control groups of its own at {Place}, because none are mounted there";

    /// <summary>The command that runs another one with this view; the other one's program and arguments follow.</summary>
    /// <param name="isRoot">Whether the caller is root.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>NamespaceToolMissing</c>.</exception>
    [SupportedOSPlatform("linux")]
    public IReadOnlyList<string> Command(bool isRoot)
    {
        // Who mounts control groups must own a namespace of them.
        string[] namespaces = isRoot ? ["--mount"] : ["--user", "--map-root-user", "--mount", "--cgroup"];
        return [Find("unshare", "util-linux"), .. namespaces, "/bin/sh", "-c", Mount, "sh", Find("mount", "mount"), Type, Place];
    }

    private static string Find(string program, string package) => SearchPath.Find(program)
        ?? throw new FunctionBuildException(
            "NamespaceToolMissing",
            FaultKind.NotFound,
            $"The control groups of this machine are not mounted as the OCI runtime needs them, and '{program}', by which it gets a view of its own, is not on the PATH. Install the package {package}, or mount control groups at {ControlGroups.Place}.",
            program);
}
