using System.Runtime.ExceptionServices;

namespace FunctionBuild.Core.Workspaces;

/// <summary>The workspaces of this process, and the sweep of what dead sessions left.</summary>
public static class WorkspaceSession
{
    private static readonly Lock Gate = new();
    private static readonly List<BuildWorkspace> Open = [];
    private static readonly HashSet<string> SweptRoots = [];

    /// <summary>Where workspaces are made when the caller names no place: <c>FUNCTIONBUILD_WORKSPACE_ROOT</c>, or the system's temporary folder.</summary>
    public static string DefaultRoot => WorkspaceFolder.DefaultRoot;

    /// <summary>The open workspaces, in order of creation.</summary>
    public static IReadOnlyList<BuildWorkspace> Workspaces
    {
        get
        {
            lock (Gate)
            {
                return [.. Open];
            }
        }
    }

    /// <summary>Removes all open workspaces. Never throws: it runs while the process ends.</summary>
    public static void CloseAll()
    {
        foreach (BuildWorkspace workspace in Workspaces)
        {
            try
            {
                workspace.Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next session's sweep finishes it.
            }
        }
    }

    /// <summary>Lists what dead sessions left in a root folder, in order of their names.</summary>
    /// <param name="root">The root folder; the default root when null.</param>
    public static IReadOnlyList<StaleWorkspace> FindStale(string? root = null)
    {
        var found = new List<StaleWorkspace>();
        foreach (DirectoryInfo folder in Candidates(root))
        {
            using FileStream? taken = WorkspaceFolder.TryTake(folder, out bool abandoned);
            if ((taken is not null || abandoned) && Describe(folder) is { } stale)
            {
                found.Add(stale);
            }
        }

        return found;
    }

    /// <summary>Removes what dead sessions left in a root folder; live sessions' workspaces are never touched.</summary>
    /// <param name="root">The root folder; the default root when null.</param>
    /// <param name="approve">Asked before each removal; removes all when null.</param>
    /// <returns>What was removed.</returns>
    /// <exception cref="IOException">Something could not be removed; the rest was.</exception>
    /// <exception cref="UnauthorizedAccessException">Something could not be removed; the rest was.</exception>
    public static IReadOnlyList<StaleWorkspace> Sweep(string? root = null, Func<StaleWorkspace, bool>? approve = null)
    {
        var removed = new List<StaleWorkspace>();
        Exception? failure = null;
        foreach (DirectoryInfo folder in Candidates(root))
        {
            using FileStream? taken = WorkspaceFolder.TryTake(folder, out bool abandoned);
            if ((taken is null && !abandoned) || Describe(folder) is not { } stale || approve?.Invoke(stale) == false)
            {
                continue;
            }

            try
            {
                WorkspaceFolder.Delete(folder.FullName, taken);
                removed.Add(stale);
            }
            catch (DirectoryNotFoundException)
            {
                // Another session's sweep was faster.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failure ??= e;
            }
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return removed;
    }

    /// <summary>Sweeps a root folder, once in the life of the process.</summary>
    /// <returns>What was removed; nothing when the root was swept before.</returns>
    public static IReadOnlyList<StaleWorkspace> SweepOnce(string? root = null)
    {
        string key = Path.GetFullPath(root ?? WorkspaceFolder.DefaultRoot);
        lock (Gate)
        {
            if (!SweptRoots.Add(key))
            {
                return [];
            }
        }

        return Sweep(key);
    }

    internal static void Add(BuildWorkspace workspace)
    {
        lock (Gate)
        {
            Open.Add(workspace);
        }
    }

    internal static void Forget(BuildWorkspace workspace)
    {
        lock (Gate)
        {
            Open.Remove(workspace);
        }
    }

    private static IEnumerable<DirectoryInfo> Candidates(string? root)
    {
        var folder = new DirectoryInfo(root ?? WorkspaceFolder.DefaultRoot);
        return folder.Exists
            ? folder.EnumerateDirectories().Where(d => WorkspaceFolder.IdOf(d.Name) is not null).OrderBy(d => d.Name, StringComparer.Ordinal)
            : [];
    }

    /// <summary>Describes a folder; null when another session's sweep is removing it at this moment.</summary>
    private static StaleWorkspace? Describe(DirectoryInfo folder)
    {
        try
        {
            // An unpacked image may have links to anywhere, and files that begin with a dot.
            var own = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
            long size = folder.EnumerateFiles("*", own).Sum(f => f.Length);
            return new StaleWorkspace(WorkspaceFolder.IdOf(folder.Name)!, folder.FullName, folder.CreationTime, size);
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            return null;
        }
    }
}
