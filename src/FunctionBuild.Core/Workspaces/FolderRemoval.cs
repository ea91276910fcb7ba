namespace FunctionBuild.Core.Workspaces;

/// <summary>Removes folders whose content came from elsewhere, with whatever modes.</summary>
internal static class FolderRemoval
{
    private static readonly EnumerationOptions Folders = new() { AttributesToSkip = FileAttributes.ReparsePoint };

    /// <summary>Removes a folder and all that is in it, also what its owner may not write to; does nothing when it is not there. Links are not followed.</summary>
    /// <exception cref="IOException">Something cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">Something is another user's.</exception>
    public static void Remove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (Exception e) when (!OperatingSystem.IsWindows() && e is UnauthorizedAccessException or IOException)
        {
            Unlock(path);
            Directory.Delete(path, recursive: true);
        }
    }

    // A folder can be emptied by its owner only if its mode says so.
    private static void Unlock(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (string folder in Directory.EnumerateDirectories(path, "*", Folders))
        {
            Unlock(folder);
        }
    }
}
