using System.Globalization;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Runtimes.Oci;

/// <summary>Looks for what functions may leave behind.</summary>
internal static class OciTraces
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Waits until nothing of a workspace's containers is left, and fails the test when something stays.</summary>
    public static Task AssertGoneAsync(BuildWorkspace workspace) => AssertGoneAsync(workspace.Path);

    /// <inheritdoc cref="AssertGoneAsync(BuildWorkspace)"/>
    public static async Task AssertGoneAsync(string workspacePath)
    {
        DateTime end = DateTime.UtcNow + Patience;
        List<string> left;
        while ((left = Find(workspacePath)).Count > 0 && DateTime.UtcNow < end)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Empty(left);
    }

    /// <summary>Processes, mounts, container folders and notes of the workspace in a folder.</summary>
    public static List<string> Find(string workspacePath)
    {
        var left = new List<string>();
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out int id) && id != Environment.ProcessId))
        {
            foreach (string file in new[] { "cmdline", "mountinfo" })
            {
                if (Read(Path.Combine(process, file)).Contains(workspacePath, StringComparison.Ordinal))
                {
                    left.Add($"{process}/{file}: {Read(Path.Combine(process, "cmdline")).Replace('\0', ' ')}");
                }
            }
        }

        left.AddRange(Read("/proc/self/mountinfo").Split('\n').Where(m => m.Contains(workspacePath, StringComparison.Ordinal)));
        foreach (string folder in new[] { "containers", "processes" }.Select(f => Path.Combine(workspacePath, f)).Where(Directory.Exists))
        {
            left.AddRange(Directory.EnumerateFileSystemEntries(folder));
        }

        return left;
    }

    private static string Read(string path)
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
