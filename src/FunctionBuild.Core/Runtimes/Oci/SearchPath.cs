namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>Finds programs as a shell does, and in the folders for administrators besides, which users often lack in their <c>PATH</c>.</summary>
internal static class SearchPath
{
    private static readonly string[] Administration = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <summary>The full path of a program; null when there is none of that name.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified)
            .Concat(Administration)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(IsProgram);

    private static bool IsProgram(string path)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        try
        {
            return !OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & Execute) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A link that leads nowhere exists, but is no program.
            return false;
        }
    }
}
