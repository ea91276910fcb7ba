using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FunctionBuild.Core.Workspaces;

/// <summary>
/// Processes that must not outlive a workspace. Each is noted in the workspace's folder <c>processes</c>, and whoever
/// removes the workspace ends those that still run. Only Linux has such processes.
/// </summary>
internal static partial class WorkspaceProcesses
{
    private const string FolderName = "processes";
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Notes a process; the caller deletes the note when the process has ended.</summary>
    /// <returns>The note's path; null when the process has ended already.</returns>
    public static string? Note(string workspacePath, string name, int id)
    {
        if (Identity(id) is not { } identity)
        {
            return null;
        }

        string folder = Path.Combine(workspacePath, FolderName);
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $"{id} {identity}"));
        return path;
    }

    /// <summary>Ends what a workspace's session left running. Only a folder that this user alone can write to is believed.</summary>
    public static void End(string workspacePath)
    {
        string folder = Path.Combine(workspacePath, FolderName);
        if (!OperatingSystem.IsLinux() || !Directory.Exists(folder) || !IsPrivate(workspacePath))
        {
            return;
        }

        foreach (string note in Directory.EnumerateFiles(folder))
        {
            string[] parts = File.ReadAllText(note).Split(' ', 2);
            if (parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int id) && Identity(id) == parts[1])
            {
                List<string> groups = ControlGroupsOf(id, Path.GetFileName(note));
                End(id);
                groups.ForEach(RemoveEmpty);
            }
        }
    }

    /// <summary>The folders of the control groups that a process has to itself: those that have its note's name, which youki writes after its own.</summary>
    private static List<string> ControlGroupsOf(int id, string name)
    {
        const string Root = "/sys/fs/cgroup";
        var found = new List<string>();
        try
        {
            foreach (string[] fields in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/cgroup")).Select(l => l.Split(':', 3)))
            {
                if (fields.Length == 3 && Path.GetFileName(fields[2]) is var group && (group == name || group == $":youki:{name}"))
                {
                    string controllers = fields[1].Replace("name=", string.Empty, StringComparison.Ordinal);
                    found.AddRange(new[] { $"{Root}/{controllers}{fields[2]}", $"{Root}{fields[2]}", $"{Root}/unified{fields[2]}" }.Where(Directory.Exists));
                }
            }
        }
        catch (IOException)
        {
            // It has ended meanwhile.
        }

        return [.. found.Distinct()];
    }

    // A group is in use for a moment after its last process ended.
    private static void RemoveEmpty(string controlGroup)
    {
        for (int attempt = 0; attempt < 20 && Directory.Exists(controlGroup); attempt++)
        {
            try
            {
                Directory.Delete(controlGroup);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Thread.Sleep(50);
            }
        }
    }

    private static void End(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
            process.WaitForExit(EndTimeout);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It has ended meanwhile.
        }
    }

    /// <summary>What tells a process from any other that has or had the same id: when it began, since which start of which machine, and in which namespace of ids.</summary>
    private static string? Identity(int id)
    {
        const int StartTimeAfterName = 19;
        try
        {
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            string? ids = new FileInfo("/proc/self/ns/pid").LinkTarget;
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return $"{fields[StartTimeAfterName]} {boot} {ids}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Else another user could have this one end any process.
    private static unsafe bool IsPrivate(string path)
    {
        const int CurrentFolder = -100;
        const int NoFollow = 0x100;
        const uint BasicFields = 0x7FF;
        const int StructSize = 256;
        const int OwnerOffset = 20;
        const int ModeOffset = 28;
        const int ModeOfOthers = 0x3F;
        byte* status = stackalloc byte[StructSize];
        return GetStatus(CurrentFolder, path, NoFollow, BasicFields, status) == 0
            && *(uint*)(status + OwnerOffset) == GetUserId()
            && (*(ushort*)(status + ModeOffset) & ModeOfOthers) == 0;
    }

    // struct statx is the same on every architecture, which struct stat is not.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int GetStatus(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUserId();
}
