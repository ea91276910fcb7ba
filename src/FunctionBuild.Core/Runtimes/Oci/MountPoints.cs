using System.Runtime.Versioning;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// Where a function's file systems are mounted on its root. A runtime makes what is missing, but crun fails when another
/// start on the same root was a moment faster; so they are made before.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class MountPoints
{
    private static readonly string[] Folders = ["proc", "dev", "sys", "tmp", "run"];
    private static readonly string[] FilesInEtc = ["hosts", "resolv.conf"];

    /// <summary>
    /// Makes those that are missing. Links to folders are followed inside the image; where a file is to be, a link stays as
    /// it is.
    /// </summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>MountPointUnsafe</c> or <c>RootFilesystemFailed</c>.</exception>
    public static void Make(RootFolder root, string function)
    {
        string place = string.Empty;
        try
        {
            foreach (string folder in Folders)
            {
                place = folder;
                root.Require(folder);
            }

            place = "etc";
            string etc = root.Require(place);
            foreach (string file in FilesInEtc)
            {
                root.RequireFile(etc, file);
            }
        }
        catch (RootFolderException e)
        {
            throw new FunctionBuildException(
                "MountPointUnsafe",
                FaultKind.InvalidData,
                $"'/{place}' in the image of function '{function}' cannot be mounted on: {e.Message}. Such an image is not run. Leave the name out of the image, or make it a folder.",
                function,
                e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FunctionBuildException("RootFilesystemFailed", FaultKind.Write, $"The root of function '{function}' cannot be made ready, at '/{place}': {e.Message}", function, e);
        }
    }
}
