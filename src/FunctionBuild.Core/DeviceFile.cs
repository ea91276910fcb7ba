namespace FunctionBuild.Core;

/// <summary>Tells files that can be replaced from devices and pipes, which can only be written to.</summary>
internal static class DeviceFile
{
    private static readonly string[] Folders = ["/dev/", "/proc/"];

    /// <summary>Whether a path leads to where Unix systems have devices and the pipes of processes, such as <c>/dev/null</c> and <c>/dev/fd/3</c>.</summary>
    /// <param name="path">A full path.</param>
    public static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows() && Array.Exists(Folders, folder => path.StartsWith(folder, StringComparison.Ordinal));
}
