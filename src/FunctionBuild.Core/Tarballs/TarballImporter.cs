using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tarballs;

/// <summary>Imports image tarballs into a workspace.</summary>
public static class TarballImporter
{
    /// <summary>
    /// Reads one tarball, once, and returns its images in the order in which it lists them. On any error, and on
    /// cancellation, nothing of the tarball stays in the workspace.
    /// </summary>
    /// <param name="workspace">Where the layers go.</param>
    /// <param name="path">The tarball.</param>
    /// <param name="options">How it is imported.</param>
    /// <param name="progress">Told how far the import is; may be null.</param>
    /// <param name="cancellation">Stops the import at once.</param>
    /// <exception cref="TarballException">The tarball cannot be imported.</exception>
    /// <exception cref="FunctionBuildException">The workspace cannot be used.</exception>
    public static Task<IReadOnlyList<RuntimeImage>> ImportAsync(
        BuildWorkspace workspace,
        string path,
        ImportOptions options,
        ImportProgress? progress,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentNullException.ThrowIfNull(options);
        path = Path.GetFullPath(path);

        // Local files are read synchronously; asynchronous file reads only add thread hops to work that is bound by the processor.
        return Task.Run<IReadOnlyList<RuntimeImage>>(
            () => Import(workspace, path, options, (images, _) => Name(workspace, path, images, options), progress ?? new ImportProgress(), cancellation),
            cancellation);
    }

    /// <summary>Reads one tarball, once, and makes something of each of its images.</summary>
    /// <param name="workspace">Where the layers go.</param>
    /// <param name="path">The tarball's full path.</param>
    /// <param name="maximumExpandedSize">What the tarball may decompress to, in bytes.</param>
    /// <param name="make">Makes it; when it throws, nothing of the tarball stays in the workspace.</param>
    /// <param name="progress">Told how far the import is; may be null.</param>
    /// <param name="cancellation">Stops the import at once.</param>
    internal static Task<List<T>> ImportAsync<T>(
        BuildWorkspace workspace,
        string path,
        long maximumExpandedSize,
        Func<IReadOnlyList<ResolvedImage>, CancellationToken, List<T>> make,
        ImportProgress? progress,
        CancellationToken cancellation) =>
        Task.Run(() => Import(workspace, path, new ImportOptions { MaximumExpandedSize = maximumExpandedSize }, make, progress ?? new ImportProgress(), cancellation), cancellation);

    /// <summary>Imports from a stream as if from a file; for tests that watch how the input is read.</summary>
    internal static IReadOnlyList<RuntimeImage> Import(BuildWorkspace workspace, string path, Stream stream, ImportOptions options, CancellationToken cancellation) =>
        Import(workspace, path, token => new TarballInputStream(stream, workspace.CountRead, token), options, (images, _) => Name(workspace, path, images, options), cancellation);

    private static List<T> Import<T>(BuildWorkspace workspace, string path, ImportOptions options, Func<IReadOnlyList<ResolvedImage>, CancellationToken, List<T>> make, ImportProgress progress, CancellationToken cancellation)
    {
        void OnRead(int count)
        {
            workspace.CountRead(count);
            progress.Add(count);
        }

        TarballInputStream Open(CancellationToken token)
        {
            progress.TotalBytes = CheckFile(path);
            return new TarballInputStream(path, OnRead, token);
        }

        return Import(workspace, path, Open, options, make, cancellation);
    }

    private static List<T> Import<T>(BuildWorkspace workspace, string path, Func<CancellationToken, TarballInputStream> open, ImportOptions options, Func<IReadOnlyList<ResolvedImage>, CancellationToken, List<T>> make, CancellationToken cancellation)
    {
        using BuildWorkspace.WorkspaceUse use = workspace.Use(cancellation);
        try
        {
            using TarballInputStream input = open(use.Token);
            return Import(workspace, path, input, options, make, use.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            workspace.ThrowIfRemoved();
            throw new TarballException("TarballNotReadable", path, null, $"it cannot be read: {e.Message}", FaultKind.Read, e);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The workspace went away under the import.
            workspace.ThrowIfRemoved();
            throw;
        }
    }

    private static List<T> Import<T>(BuildWorkspace workspace, string path, TarballInputStream input, ImportOptions options, Func<IReadOnlyList<ResolvedImage>, CancellationToken, List<T>> make, CancellationToken cancellation)
    {
        using BlobLease lease = workspace.Blobs.NewLease();
        var budget = new ExpansionBudget(path, options.MaximumExpandedSize, workspace.CountDecompressed, cancellation);
        ArchiveContent content = new ArchiveReader(path, workspace.Blobs, lease, workspace.Prefixes, budget, options.Report).Read(input, cancellation);
        IReadOnlyList<ResolvedImage> resolved = new ImageResolver(content, lease).Resolve();
        List<T> made = make(resolved, cancellation);

        lease.Keep(resolved.SelectMany(i => i.Layers).Select(l => l.Blob.Digest));
        workspace.CountImport();
        foreach (ImageLayer layer in resolved.SelectMany(i => i.Layers))
        {
            workspace.CountLayer(layer.Blob);
        }

        return made;
    }

    private static long CheckFile(string path)
    {
        if (Directory.Exists(path))
        {
            throw new TarballException("PathIsDirectory", path, null, "it is a folder. Expected an image tarball.", FaultKind.InvalidArgument);
        }

        var file = new FileInfo(path);
        if (file.Exists && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target)
        {
            // A link's own length is that of its target's name.
            file = target;
        }

        if (!file.Exists)
        {
            throw new TarballException("PathNotFound", path, null, "no such file.", FaultKind.NotFound);
        }

        // Also what named pipes and devices answer; opening one of those could wait for ever.
        return file.Length > 0
            ? file.Length
            : throw new TarballException("TarballEmpty", path, null, "it is empty, or not a regular file. Expected an image tarball.");
    }

    private static List<RuntimeImage> Name(BuildWorkspace workspace, string path, IReadOnlyList<ResolvedImage> resolved, ImportOptions options)
    {
        (string fileName, string? claimed) = TarballNaming.Parse(path);
        string? expected = options.Architecture ?? claimed;

        // Images for the same platform in one tarball are different functions; only their tags can tell which.
        bool nameByTag = options.Name is null && resolved.GroupBy(r => r.Config.Platform).Any(g => g.Count() > 1);
        var images = new List<RuntimeImage>();
        foreach (ResolvedImage image in resolved)
        {
            Platform platform = image.Config.Platform;
            if (expected is not null && platform.Architecture != expected)
            {
                string origin = options.Architecture is null ? "its name says" : "it was asked for";
                throw new TarballException("ArchitectureMismatch", path, null, $"{origin} '{expected}', but the image's config says '{platform.Architecture}'. Rename the file, or build the image for '{expected}'.");
            }

            images.Add(new RuntimeImage
            {
                Name = options.Name ?? (nameByTag ? NameFromTag(path, image) : fileName),
                Platform = platform,
                Tags = image.Tags,
                Source = path,
                Config = image.Config,
                Layers = image.Layers,
                Workspace = workspace,
            });
        }

        return images;
    }

    private static string NameFromTag(string path, ResolvedImage image)
    {
        string tag = image.Tags.Count > 0
            ? image.Tags[0]
            : throw new TarballException("ImageNameUnknown", path, null, $"it holds several images for {image.Config.Platform}, and {image.Config.Digest} has no tag to name it by. Save each function to a tarball of its own.");
        string last = tag[(tag.LastIndexOf('/') + 1)..];
        int end = last.IndexOfAny([':', '@']);
        return end < 0 ? last : last[..end];
    }
}
