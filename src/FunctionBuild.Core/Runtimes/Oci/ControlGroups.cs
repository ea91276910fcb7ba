namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>The control groups that are mounted, of version 1 or 2, and which limits this process can set by them.</summary>
/// <param name="Memory">Whether memory can be limited.</param>
/// <param name="Processes">Whether processes and threads can be limited.</param>
/// <param name="CanMake">Whether there are any that this process could make its own below.</param>
/// <param name="AreMounted">Whether there are any at all in the place where runtimes look for them.</param>
/// <param name="AreMixed">Whether version 2 has controllers beside version 1.</param>
internal readonly record struct ControlGroups(bool Memory, bool Processes, bool CanMake, bool AreMounted, bool AreMixed)
{
    /// <summary>Where runtimes look for them.</summary>
    public const string Place = "/sys/fs/cgroup";

    /// <summary>Where version 2 is, beside version 1.</summary>
    public const string SecondPlace = $"{Place}/unified";

    /// <summary>Reads what is mounted. A user who is not root can set no limit without a daemon's help.</summary>
    public static ControlGroups Detect(bool isRoot)
    {
        ControlGroups found = Read(File.ReadLines("/proc/self/mounts"), ReadFile);
        return isRoot ? found : found with { Memory = false, Processes = false, CanMake = false };
    }

    /// <summary>Reads lines of <c>/proc/self/mounts</c>.</summary>
    /// <param name="mounts">The lines.</param>
    /// <param name="read">Reads a file of a version 2 mount.</param>
    public static ControlGroups Read(IEnumerable<string> mounts, Func<string, string> read)
    {
        var found = default(ControlGroups);
        foreach (string[] fields in mounts.Select(m => m.Split(' ')).Where(f => f.Length > 3))
        {
            (string place, string type) = (fields[1], fields[2]);
            string[] options = fields[3].Split(',');
            bool isWritable = options.Contains("rw");
            if (type == "cgroup")
            {
                found = found with
                {
                    Memory = found.Memory || (isWritable && options.Contains("memory")),
                    Processes = found.Processes || (isWritable && options.Contains("pids")),
                    CanMake = found.CanMake || isWritable,
                    AreMounted = true,
                };
            }
            else if (type == "cgroup2" && place == Place)
            {
                // Where it is not passed on, a runtime would have to turn it on, which fails where processes are in the root.
                string[] controllers = isWritable ? Words(read($"{Place}/cgroup.subtree_control")) : [];
                found = found with
                {
                    Memory = found.Memory || controllers.Contains("memory"),
                    Processes = found.Processes || controllers.Contains("pids"),
                    CanMake = found.CanMake || isWritable,
                    AreMounted = true,
                };
            }
            else if (type == "cgroup2" && place == SecondPlace)
            {
                found = found with { AreMixed = Words(read($"{SecondPlace}/cgroup.controllers")).Length > 0 };
            }
        }

        return found;
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
