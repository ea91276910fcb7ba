using System.Management.Automation;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Shell;

/// <summary>Function images that come to a command.</summary>
internal static class ImageInput
{
    /// <summary>Adds images that came to those before them, each as of <see cref="Add(Cmdlet, List{FunctionImage}, FunctionImage)"/>.</summary>
    public static void AddAll(Cmdlet command, List<FunctionImage> images, IEnumerable<FunctionImage> came)
    {
        foreach (FunctionImage image in came)
        {
            Add(command, images, image);
        }
    }

    /// <summary>
    /// Adds an image that came to those before it. One of the same repository and digest is the same, however often it comes;
    /// but it takes the place of none whose workspace is gone, of which the command has to tell.
    /// </summary>
    /// <returns>Whether it is a new one.</returns>
    public static bool Add(Cmdlet command, List<FunctionImage> images, FunctionImage image)
    {
        if (images.Exists(i => i.Repository == image.Repository && i.Name == image.Name && i.Digest == image.Digest && i.Workspace.State == WorkspaceState.Open))
        {
            command.WriteVerbose($"{image} came more than once, and is taken once.");
            return false;
        }

        images.Add(image);
        return true;
    }
}
