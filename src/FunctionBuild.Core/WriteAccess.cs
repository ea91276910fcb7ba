using System.Runtime.InteropServices;

namespace FunctionBuild.Core;

/// <summary>Tells beforehand whether files can be written.</summary>
internal static partial class WriteAccess
{
    private const int ToWrite = 2;
    private const int ToEnter = 1;

    /// <summary>Whether this process may write to a file, or make entries in a folder; nothing is opened.</summary>
    /// <param name="path">What is there.</param>
    public static bool Has(string path) =>
        OperatingSystem.IsWindows()
            ? Directory.Exists(path) || !new FileInfo(path).IsReadOnly
            : Access(path, Directory.Exists(path) ? ToWrite | ToEnter : ToWrite) == 0;

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
