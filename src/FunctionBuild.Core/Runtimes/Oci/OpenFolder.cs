using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>An open folder inside a root.</summary>
/// <param name="Handle">The folder.</param>
/// <param name="Path">Where it is, from the root, without links and without leading slash; empty for the root.</param>
internal readonly record struct OpenFolder(SafeFileHandle Handle, string Path)
{
    /// <summary>The path of a name in the folder.</summary>
    public string In(string name) => Path.Length == 0 ? name : $"{Path}/{name}";
}
