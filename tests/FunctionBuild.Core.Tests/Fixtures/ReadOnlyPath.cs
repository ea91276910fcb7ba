using System.Diagnostics;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>A file or folder that cannot be written until it is disposed of: by its mode, or for the superuser, who may write all the same, by its attribute.</summary>
internal sealed class ReadOnlyPath : IDisposable
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserExecute;

    private readonly string _path;

    private ReadOnlyPath(string path) => _path = path;

    /// <summary>Makes a path read-only; skips the test where that cannot be.</summary>
    public static ReadOnlyPath Make(string path)
    {
        if (Environment.IsPrivilegedProcess && OperatingSystem.IsLinux())
        {
            Assert.SkipUnless(SetAttribute("+i", path), "Files cannot be made immutable here: the file system, or this process, may not.");
        }
        else
        {
            UnixMode.Set(path, Readable);
        }

        return new ReadOnlyPath(path);
    }

    public void Dispose()
    {
        if (Environment.IsPrivilegedProcess && OperatingSystem.IsLinux())
        {
            SetAttribute("-i", _path);
        }
        else
        {
            UnixMode.Set(_path, Readable | UnixFileMode.UserWrite);
        }
    }

    private static bool SetAttribute(string change, string path)
    {
        using Process process = ExternalTool.Start("chattr", change, path);
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
