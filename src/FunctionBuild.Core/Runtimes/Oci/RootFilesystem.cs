using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>The root file systems of a workspace's images, <c>rootfs/&lt;config digest&gt;</c>: each unpacked once, when it is first needed.</summary>
[SupportedOSPlatform("linux")]
internal static class RootFilesystem
{
    private static readonly ConditionalWeakTable<BuildWorkspace, ConcurrentDictionary<Digest, SemaphoreSlim>> Gates = [];

    /// <summary>The folder with an image's root file system; unpacked now, unless it was before. Callers that come meanwhile share it.</summary>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>RootFilesystemUnsafe</c>, <c>LayerUnreadable</c>, <c>RootFilesystemFailed</c>, <c>DiskSpaceLow</c> or <c>BlobChanged</c>; nothing is left of it.
    /// </exception>
    public static async Task<string> PrepareAsync(BuildWorkspace workspace, PlatformImage image, CancellationToken cancellation)
    {
        Digest id = image.Config.Digest;
        string parent = Path.Combine(workspace.Path, "rootfs");
        string path = Path.Combine(parent, id.Hex);
        SemaphoreSlim gate = Gates.GetOrCreateValue(workspace).GetOrAdd(id, _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!Directory.Exists(path))
            {
                Directory.CreateDirectory(parent);
                await Task.Run(() => UnpackAsync(workspace, image, path, cancellation), cancellation).ConfigureAwait(false);
            }

            return path;
        }
        finally
        {
            gate.Release();
        }
    }

    private static async Task UnpackAsync(BuildWorkspace workspace, PlatformImage image, string path, CancellationToken cancellation)
    {
        string unfinished = path + ".tmp";
        try
        {
            Directory.CreateDirectory(unfinished);
            await UnpackLayersAsync(workspace, image, unfinished, cancellation).ConfigureAwait(false);
            Directory.Move(unfinished, path);
        }
        catch (Exception e)
        {
            FolderRemoval.Remove(unfinished);
            if (e is IOException or UnauthorizedAccessException)
            {
                throw new FunctionBuildException(
                    "RootFilesystemFailed",
                    FaultKind.Write,
                    $"The image {image} cannot be unpacked to '{path}': {e.Message}",
                    image,
                    e);
            }

            throw;
        }
    }

    private static async Task UnpackLayersAsync(BuildWorkspace workspace, PlatformImage image, string path, CancellationToken cancellation)
    {
        // What is on disk uncompressed need not be inflated.
        List<Blob> blobs = [.. image.Layers.Select(l => workspace.Blobs.Find(l.DiffId) ?? l.FindUncompressed() ?? l.Blob)];
        var layers = new ReadAheadLayers(blobs, cancellation);
        await using (layers.ConfigureAwait(false))
        {
            using var root = new RootFolder(path);
            var unpacker = new LayerUnpacker(root, workspace.Blobs.ReserveSpace);
            foreach (PackageLayer layer in image.Layers)
            {
                using Stream tar = layers.Next();
                unpacker.Apply(tar, layer.DiffId, cancellation);
            }

            unpacker.Finish();
        }
    }
}
