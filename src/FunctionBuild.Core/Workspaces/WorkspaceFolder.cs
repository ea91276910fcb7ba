namespace FunctionBuild.Core.Workspaces;

/// <summary>The folder of a workspace on disk: its name, its mode and its lock.</summary>
internal static class WorkspaceFolder
{
    private const string LockName = "lock";
    private const string NamePrefix = "functionbuild-";
    private const int IdLength = 8;

    /// <summary>An empty folder without a lock file is half made or half removed; only after this long is it surely nobody's.</summary>
    private static readonly TimeSpan LocklessAge = TimeSpan.FromHours(1);

    private const int MaximumRetries = 10;

    /// <summary>Where workspaces are made when the caller names no place.</summary>
    public static string DefaultRoot =>
        Environment.GetEnvironmentVariable("FUNCTIONBUILD_WORKSPACE_ROOT") is { Length: > 0 } root ? Path.GetFullPath(root) : Path.GetTempPath();

    /// <summary>Makes a new folder, readable by its owner only, and takes its lock.</summary>
    public static (string Id, string Path, FileStream Lock) Create(string root)
    {
        Directory.CreateDirectory(root);
        for (int attempt = 0; ; attempt++)
        {
            string id = NewId();
            string path = Path.Combine(root, NamePrefix + id);
            if (Directory.Exists(path))
            {
                continue;
            }

            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            try
            {
                var taken = new FileStream(Path.Combine(path, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
                if (File.Exists(taken.Name))
                {
                    return (id, path, taken);
                }

                // Between the making of the file and its locking, another session's sweep took it for a dead one's.
                taken.Dispose();
            }
            catch (IOException) when (attempt < MaximumRetries)
            {
                // Such a sweep holds the lock, or has removed the folder already.
            }
        }
    }

    /// <summary>The id of the workspace that a folder is by its name; null when the name is no workspace's.</summary>
    public static string? IdOf(string folderName) =>
        folderName.StartsWith(NamePrefix, StringComparison.Ordinal) && folderName[NamePrefix.Length..] is { Length: IdLength } id && id.All(char.IsAsciiHexDigitLower)
            ? id
            : null;

    /// <summary>
    /// Takes the lock of a folder whose session is dead; null when the session lives, the folder is another user's, or
    /// it is not a workspace at all.
    /// </summary>
    public static FileStream? TryTake(DirectoryInfo folder, out bool abandonedWithoutLock)
    {
        abandonedWithoutLock = false;
        if (folder.LinkTarget is not null)
        {
            return null;
        }

        try
        {
            FileStream taken = Lock(folder);
            if (IsLocked(folder))
            {
                return taken;
            }

            taken.Dispose();
            return null;
        }
        catch (FileNotFoundException)
        {
            abandonedWithoutLock = IsAbandoned(folder);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Removes a folder whose lock is held. The lock file goes last, so that a removal that is interrupted is found and
    /// finished by the next sweep.
    /// </summary>
    public static void Delete(string path, FileStream? heldLock)
    {
        try
        {
            if (Directory.Exists(path))
            {
                WorkspaceProcesses.End(path);
                foreach (string folder in Directory.EnumerateDirectories(path))
                {
                    FolderRemoval.Remove(folder);
                }

                foreach (string file in Directory.EnumerateFiles(path).Where(f => Path.GetFileName(f) != LockName))
                {
                    File.Delete(file);
                }

                if (OperatingSystem.IsWindows())
                {
                    heldLock?.Dispose();
                }

                Directory.Delete(path, recursive: true);
            }
        }
        finally
        {
            heldLock?.Dispose();
        }
    }

    // A letter comes first: PowerShell takes a bare argument such as 12345678 or 1234567e for a number.
    private static string NewId()
    {
        string id;
        do
        {
            id = System.Security.Cryptography.RandomNumberGenerator.GetHexString(IdLength, lowercase: true);
        }
        while (!char.IsAsciiLetter(id[0]));

        return id;
    }

    // A workspace gets its lock before anything else, and loses it after everything else.
    private static bool IsAbandoned(DirectoryInfo folder)
    {
        try
        {
            return DateTime.UtcNow - folder.LastWriteTimeUtc > LocklessAge && !folder.EnumerateFileSystemInfos().Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static FileStream Lock(DirectoryInfo folder) =>
        new(Path.Combine(folder.FullName, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

    // Where locks are switched off, or the file system has none, a live session cannot be told from a dead one: there
    // a lock that is held can be taken once more.
    private static bool IsLocked(DirectoryInfo folder)
    {
        try
        {
            Lock(folder).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
