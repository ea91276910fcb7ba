using System.Management.Automation;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Shell;

/// <summary>Function images that come to a command.</summary>
internal static class ImageInput
{
    /// <summary>
    /// Adds images that came to those before them. The very same image, that is repository and digest, is one however often it comes; but it takes
    /// the place of none whose workspace is gone, of which the command has to tell.
    /// </summary>
    public static void Add(Cmdlet command, List<FunctionImage> images, IEnumerable<FunctionImage> came)
    {
        foreach (FunctionImage image in came)
        {
            if (Contains(images, image))
            {
                command.WriteVerbose($"{image} came more than once, and is taken once.");
            }
            else
            {
                images.Add(image);
            }
        }
    }

    /// <summary>Whether the very same image came before.</summary>
    public static bool Contains(IEnumerable<FunctionImage> images, FunctionImage image) => images.Any(i =>
        i.Repository == image.Repository && i.Name == image.Name && i.Digest == image.Digest && i.Workspace.State == WorkspaceState.Open);
}
