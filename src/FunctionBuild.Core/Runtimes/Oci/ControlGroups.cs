namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>Which limits this process can set by control groups, of version 1 or 2.</summary>
/// <param name="Memory">Memory.</param>
/// <param name="Processes">Processes and threads.</param>
/// <param name="CanMake">Whether there are any that this process could make its own below.</param>
internal readonly record struct ControlGroups(bool Memory, bool Processes, bool CanMake)
{
    private const string Unified = "/sys/fs/cgroup";

    /// <summary>Reads what is mounted. A user who is not root can set none without a daemon's help.</summary>
    public static ControlGroups Detect(bool isRoot) => isRoot ? Read(File.ReadLines("/proc/self/mounts"), ReadDelegated) : default;

    /// <summary>Reads lines of <c>/proc/self/mounts</c>.</summary>
    /// <param name="mounts">The lines.</param>
    /// <param name="delegated">The controllers that a version 2 mount's root passes on to its children.</param>
    public static ControlGroups Read(IEnumerable<string> mounts, Func<string> delegated)
    {
        var found = default(ControlGroups);
        foreach (string[] fields in mounts.Select(m => m.Split(' ')).Where(f => f.Length > 3))
        {
            string[] options = fields[3].Split(',');
            if (!options.Contains("rw"))
            {
                continue;
            }

            if (fields[2] == "cgroup")
            {
                found = new ControlGroups(found.Memory || options.Contains("memory"), found.Processes || options.Contains("pids"), true);
            }
            else if (fields[2] == "cgroup2" && fields[1] == Unified)
            {
                // Where it is not passed on, a runtime would have to turn it on, which fails where processes are in the root.
                string[] controllers = delegated().Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                found = new ControlGroups(found.Memory || controllers.Contains("memory"), found.Processes || controllers.Contains("pids"), true);
            }
        }

        return found;
    }

    private static string ReadDelegated()
    {
        try
        {
            return File.ReadAllText(Path.Combine(Unified, "cgroup.subtree_control"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
