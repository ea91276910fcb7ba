using System.Runtime.Versioning;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>The folder in which an image's process starts.</summary>
[SupportedOSPlatform("linux")]
internal static class WorkingFolder
{
    /// <summary>
    /// Finds it in the image, following links there, so that the runtime meets none; as with Docker, it is made when it is
    /// missing. A folder of the system itself is refused: in <c>/proc/self/fd</c> some runtimes hold folders of the
    /// machine open (CVE-2024-21626).
    /// </summary>
    /// <returns>Its path, absolute.</returns>
    /// <exception cref="FunctionBuildException">ErrorId <c>WorkingFolderUnsafe</c>.</exception>
    public static string Resolve(RootFolder root, string specification, string function)
    {
        try
        {
            string path = root.Require(specification);
            return path.Split('/')[0] is "proc" or "sys" or "dev"
                ? throw new RootFolderException("it is a folder of the system")
                : "/" + path;
        }
        catch (RootFolderException e)
        {
            throw new FunctionBuildException(
                "WorkingFolderUnsafe",
                FaultKind.InvalidData,
                $"The image of function '{function}' starts in the folder '{specification}': {e.Message}. Such an image is not run. Set WORKDIR to a folder of its own when the image is built.",
                function,
                e);
        }
    }
}
