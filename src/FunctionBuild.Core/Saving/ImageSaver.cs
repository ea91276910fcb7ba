using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Saving;

/// <summary>
/// Writes function images to disk: under a temporary name beside the target, flushed to the disk, then renamed, so that
/// the target is never half written. Every blob is verified while it is copied.
/// </summary>
public static class ImageSaver
{
    private const int CopySize = 128 * 1024;

    /// <summary>The format that a path's extension means.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>UnknownFormat</c>.</exception>
    public static SaveFormat FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".xpkg" => SaveFormat.Xpkg,
        ".tar" => SaveFormat.DockerArchive,
        "" => SaveFormat.OciLayout,
        string other => throw new FunctionBuildException("UnknownFormat", FaultKind.InvalidArgument, $"'{path}': the extension '{other}' does not tell a format. Use '.xpkg', '.tar' (Docker archive), none (OCI layout folder), or say -Format.", path),
    };

    /// <summary>Writes images; what was written.</summary>
    /// <param name="images">The images, in the order in which they are written.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="onBytes">Told of the layers' bytes as they are written; may be null.</param>
    /// <param name="cancellation">Stops at once; nothing is left.</param>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>PathExists</c>, <c>DirectoryNotFound</c>, <c>DuplicateReference</c>, <c>SaveFailed</c>, <c>BlobChanged</c> or <c>WorkspaceRemoved</c>.
    /// </exception>
    public static Task<FileSystemInfo> SaveAsync(IReadOnlyList<FunctionImage> images, SaveOptions options, Action<int>? onBytes, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run(() => Save(images, options, onBytes, cancellation), cancellation);
    }

    /// <summary>The bytes of distinct layers that saving writes.</summary>
    public static long SizeOf(IReadOnlyList<FunctionImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return images.SelectMany(i => i.Images).SelectMany(i => i.Layers).DistinctBy(l => l.Blob.Digest).Sum(l => l.Blob.Length);
    }

    private static FileSystemInfo Save(IReadOnlyList<FunctionImage> images, SaveOptions options, Action<int>? onBytes, CancellationToken cancellation)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Path));
        SaveFormat format = options.Format ?? FormatOf(path);
        CheckTarget(path, format, options);
        List<BuildWorkspace.WorkspaceUse> uses = [];
        string temporary = Path.Combine(Path.GetDirectoryName(path)!, $".functionbuild-{Guid.NewGuid():N}.tmp");
        try
        {
            uses.AddRange(images.Select(i => i.Workspace).Distinct().Select(w => w.Use(cancellation)));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource([.. uses.Select(u => u.Token)]);
            if (format == SaveFormat.OciLayout)
            {
                CheckDistinct(images.Select(i => i.Name), "name");
                WriteLayout(images, temporary, onBytes, stop.Token);
                Replace(temporary, path);
                return new DirectoryInfo(path);
            }

            CheckDistinct(images.SelectMany(i => i.Images.Select(p => TagOf(i, p))), "tag");
            WriteArchive(images, temporary, onBytes, stop.Token);
            File.Move(temporary, path, options.Force);
            return new FileInfo(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FunctionBuildException("SaveFailed", FaultKind.Write, $"'{path}' cannot be written: {e.Message}", path, e);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // A workspace went away under the save.
            foreach (FunctionImage image in images)
            {
                image.Workspace.ThrowIfRemoved();
            }

            throw;
        }
        finally
        {
            uses.ForEach(u => u.Dispose());
            Remove(temporary);
        }
    }

    private static void CheckTarget(string path, SaveFormat format, SaveOptions options)
    {
        if (DeviceFile.IsDevice(path))
        {
            throw new FunctionBuildException("PathIsDevice", FaultKind.InvalidArgument, $"'{path}' is among the system's devices, where nothing is to be put. Name a file.", path);
        }

        bool folder = Directory.Exists(path);
        if (folder && format != SaveFormat.OciLayout)
        {
            throw new FunctionBuildException("PathIsDirectory", FaultKind.InvalidArgument, $"'{path}' is a folder. Name a file, or say -Format OciLayout.", path);
        }

        if (File.Exists(path) && format == SaveFormat.OciLayout)
        {
            throw new FunctionBuildException("PathExists", FaultKind.AlreadyExists, $"'{path}' is a file; an OCI layout is a folder. Name another path.", path);
        }

        if ((folder || File.Exists(path)) && !options.Force)
        {
            throw new FunctionBuildException("PathExists", FaultKind.AlreadyExists, $"'{path}' exists already. Say -Force to replace it.", path);
        }

        if (folder && Directory.EnumerateFileSystemEntries(path).Any() && !File.Exists(Path.Combine(path, "oci-layout")))
        {
            throw new FunctionBuildException("PathExists", FaultKind.AlreadyExists, $"'{path}' holds something else than an OCI layout, and is not replaced. Name another path.", path);
        }

        string parent = Path.GetDirectoryName(path) ?? path;
        if (!Directory.Exists(parent))
        {
            if (!options.CreateDirectory)
            {
                throw new FunctionBuildException("DirectoryNotFound", FaultKind.NotFound, $"The folder '{parent}' does not exist. Create it, or say -CreateDirectory.", parent);
            }

            try
            {
                Directory.CreateDirectory(parent);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new FunctionBuildException("SaveFailed", FaultKind.Write, $"The folder '{parent}' cannot be created: {e.Message}", parent, e);
            }
        }
    }

    private static void CheckDistinct(IEnumerable<string> references, string what)
    {
        if (references.GroupBy(r => r, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new FunctionBuildException("DuplicateReference", FaultKind.InvalidArgument, $"Two images would have the {what} '{twice.Key}'. Save them to different paths, or build them with different names and repositories.", twice.Key);
        }
    }

    /// <summary><c>repository:architecture</c>; operating systems other than Linux and variants are added, so that no two tags of a function are alike.</summary>
    private static string TagOf(FunctionImage function, PlatformImage image)
    {
        Platform platform = image.Platform;
        string os = platform.Os == "linux" ? string.Empty : platform.Os + "-";
        string variant = platform.Variant is null ? string.Empty : "-" + platform.Variant;
        string version = platform.OsVersion is null ? string.Empty : "-" + platform.OsVersion;
        return $"{function.Repository}:{os}{platform.Architecture}{variant}{version}";
    }

    private static void WriteArchive(IReadOnlyList<FunctionImage> images, string path, Action<int>? onBytes, CancellationToken cancellation)
    {
        List<(string Tag, PlatformImage Image)> entries = [.. images.SelectMany(f => f.Images.Select(i => (TagOf(f, i), i)))];
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, CopySize);
        DockerArchiveWriter.Write(file, entries, LayerForm.Published, onBytes, cancellation);
        file.Flush(flushToDisk: true);
    }

    private static void WriteLayout(IReadOnlyList<FunctionImage> images, string path, Action<int>? onBytes, CancellationToken cancellation)
    {
        string blobs = Path.Combine(path, "blobs", "sha256");
        Directory.CreateDirectory(blobs);
        foreach (Blob layer in images.SelectMany(f => f.Images).SelectMany(i => i.Layers).Select(l => l.Blob).DistinctBy(b => b.Digest))
        {
            using var source = new WatchedStream(layer.OpenRead(), onBytes, cancellation);
            WriteFile(Path.Combine(blobs, layer.Digest.Hex), source);
        }

        foreach (Blob document in images.SelectMany(f => f.Images.SelectMany(i => new[] { i.Config, i.Manifest }).Append(f.Index)).DistinctBy(b => b.Digest))
        {
            using Stream source = document.OpenRead();
            WriteFile(Path.Combine(blobs, document.Digest.Hex), source);
        }

        var index = new ImageIndex(MediaTypes.OciIndex, [.. images.Select(f => new Descriptor(f.MediaType, f.Digest, f.Index.Length)
        {
            Annotations = new Dictionary<string, string> { ["org.opencontainers.image.ref.name"] = f.Name },
        })]);
        WriteFile(Path.Combine(path, "index.json"), new MemoryStream(index.ToJson()));
        WriteFile(Path.Combine(path, "oci-layout"), new MemoryStream("{\"imageLayoutVersion\":\"1.0.0\"}"u8.ToArray()));
    }

    private static void WriteFile(string path, Stream content)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
        content.CopyTo(file, CopySize);
        file.Flush(flushToDisk: true);
    }

    private static void Replace(string temporary, string path)
    {
        string? old = null;
        if (Directory.Exists(path))
        {
            old = temporary + ".old";
            Directory.Move(path, old);
        }

        try
        {
            Directory.Move(temporary, path);
        }
        catch when (old is not null)
        {
            Directory.Move(old, path);
            throw;
        }

        if (old is not null)
        {
            Directory.Delete(old, recursive: true);
        }
    }

    private static void Remove(string temporary)
    {
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }
        else
        {
            File.Delete(temporary);
        }
    }
}
