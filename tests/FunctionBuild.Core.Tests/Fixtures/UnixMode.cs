namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Modes of files and folders, where there are any.</summary>
internal static class UnixMode
{
    /// <summary>The mode of a file or folder; skips the test on Windows.</summary>
    public static UnixFileMode Of(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            return File.GetUnixFileMode(path);
        }

        Assert.Skip("Windows has no modes.");
        return default;
    }

    /// <summary>Sets the mode of a file or folder; skips the test on Windows.</summary>
    public static void Set(string path, UnixFileMode mode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes.");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
