using System.Formats.Tar;
using System.Text;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Packages;

/// <summary>
/// Makes function packages of runtime images: package layer, labels and annotations on top, one manifest per platform,
/// one index per function. The same input gives the same bytes.
/// </summary>
public static class FunctionImageBuilder
{
    /// <summary>Marks package layers in annotations, and in labels as <c>io.crossplane.xpkg:&lt;digest&gt;</c>.</summary>
    public const string LayerAnnotation = "io.crossplane.xpkg";

    /// <summary>
    /// Compresses the layers of all functions that came uncompressed, each distinct one once, the largest first so that
    /// the processors are busy to the end. What fails here fails again, and is reported, when the function is built.
    /// </summary>
    /// <param name="groups">The functions.</param>
    /// <param name="options">How layers are compressed.</param>
    /// <param name="progress">Told of bytes taken in and of all there are; may be null.</param>
    /// <param name="cancellation">Stops at once.</param>
    public static async Task CompressLayersAsync(IReadOnlyList<FunctionGroup> groups, BuildOptions options, BuildProgress? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Compression == Compression.None)
        {
            return;
        }

        List<(BuildWorkspace Workspace, ImageLayer Layer)> layers = [.. groups
            .SelectMany(g => g.Images)
            .SelectMany(i => i.Layers.Select(l => (i.Workspace, Layer: l)))
            .Where(l => l.Layer.Compression == Compression.None)
            .DistinctBy(l => (l.Workspace, l.Layer.DiffId))
            .OrderByDescending(l => l.Layer.Size)];
        progress?.Begin(layers.Sum(l => l.Layer.Size));

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.ThrottleLimit, CancellationToken = cancellation };
        await Parallel.ForEachAsync(layers, parallel, async (item, token) =>
        {
            try
            {
                using BuildWorkspace.WorkspaceUse use = item.Workspace.Use(token);
                await item.Workspace.Layers
                    .CompressAsync(item.Layer.Blob, options.Compression, options.Level, bytes => progress?.Add(bytes), use.Token)
                    .ConfigureAwait(false);
            }
            catch (Exception e) when (e is FunctionBuildException || (e is OperationCanceledException && !token.IsCancellationRequested))
            {
                // Told when the functions that have this layer are built; the others are not held up.
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Builds one function's package.</summary>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>DuplicatePlatform</c>, <c>WorkspaceMismatch</c>, <c>RuntimeIsPackage</c>, <c>ZstdNeedsOci</c>, <c>BlobChanged</c> or <c>WorkspaceRemoved</c>.
    /// </exception>
    public static async Task<FunctionImage> BuildAsync(FunctionGroup group, BuildOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        RepositoryName.Check(group.Repository);
        Check(group);

        BuildWorkspace workspace = group.Images[0].Workspace;
        using BuildWorkspace.WorkspaceUse use = workspace.Use(cancellation);
        try
        {
            return await BuildAsync(workspace, group, options, use.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The workspace went away under the build.
            workspace.ThrowIfRemoved();
            throw;
        }
    }

    private static async Task<FunctionImage> BuildAsync(BuildWorkspace workspace, FunctionGroup group, BuildOptions options, CancellationToken cancellation)
    {
        List<PackageLayer> packageLayers = AddPackageLayers(workspace, group.Metadata, options);
        var images = new List<PlatformImage>();
        foreach (RuntimeImage runtime in group.Images)
        {
            images.Add(await BuildImageAsync(runtime, packageLayers, options, cancellation).ConfigureAwait(false));
        }

        return ImageAssembler.ToFunction(workspace, group.Name, group.Repository, group.Metadata, images);
    }

    private static void Check(FunctionGroup group)
    {
        foreach (IGrouping<Platform, RuntimeImage> same in group.Images.GroupBy(i => i.Platform).Where(g => g.Count() > 1))
        {
            throw new FunctionBuildException(
                "DuplicatePlatform",
                FaultKind.InvalidArgument,
                $"Function '{group.Name}' has more than one image for {same.Key}: {string.Join(" and ", same.Select(i => $"'{i.Source}'"))}. One image per platform is expected; give different functions different names.",
                group.Name);
        }

        if (group.Images.Select(i => i.Workspace).Distinct().Count() > 1)
        {
            throw new FunctionBuildException(
                "WorkspaceMismatch",
                FaultKind.InvalidArgument,
                $"The images of function '{group.Name}' are in different workspaces. Import them in one call, or with the same -Workspace.",
                group.Name);
        }

        foreach (RuntimeImage image in group.Images)
        {
            if (image.Config.Labels.Keys.Any(k => k.StartsWith(LayerAnnotation + ":", StringComparison.Ordinal)))
            {
                throw new FunctionBuildException(
                    "RuntimeIsPackage",
                    FaultKind.InvalidArgument,
                    $"'{image.Source}' is a Crossplane package already, and its own metadata would win. Build from the function's runtime image.",
                    image);
            }
        }
    }

    /// <summary>The layers that make a package of an image; the same for every platform.</summary>
    private static List<PackageLayer> AddPackageLayers(BuildWorkspace workspace, FunctionMetadata metadata, BuildOptions options)
    {
        var layers = new List<PackageLayer> { AddFile(workspace, "package.yaml", metadata.Yaml, "base", options) };
        if (metadata.Examples is { } examples)
        {
            layers.Add(AddFile(workspace, ".up/examples.yaml", examples, "upbound", options));
        }

        return layers;
    }

    private static PackageLayer AddFile(BuildWorkspace workspace, string name, string text, string annotation, BuildOptions options)
    {
        byte[] tar = MakeTar(name, Encoding.UTF8.GetBytes(text));
        var diffId = Digest.Of(tar);
        Blob blob = options.Compression == Compression.None
            ? workspace.Blobs.Put(tar)
            : workspace.Layers.Compress(tar, options.Compression, options.Level);
        var annotations = new Dictionary<string, string> { [LayerAnnotation] = annotation };
        var descriptor = new Descriptor(ImageAssembler.LayerMediaType(options.Compression, options.MediaType, name), blob.Digest, blob.Length) { Annotations = annotations };
        return new PackageLayer(descriptor, diffId, blob) { UncompressedSize = tar.Length };
    }

    private static byte[] MakeTar(string name, byte[] content)
    {
        using var buffer = new MemoryStream();
        using (var writer = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(content),
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
        }

        return buffer.ToArray();
    }

    private static async Task<PlatformImage> BuildImageAsync(RuntimeImage runtime, List<PackageLayer> packageLayers, BuildOptions options, CancellationToken cancellation)
    {
        BuildWorkspace workspace = runtime.Workspace;
        var layers = new List<PackageLayer>();
        foreach (ImageLayer layer in runtime.Layers)
        {
            bool compress = layer.Compression == Compression.None && options.Compression != Compression.None;
            Blob blob = compress
                ? await workspace.Layers.CompressAsync(layer.Blob, options.Compression, options.Level, null, cancellation).ConfigureAwait(false)
                : layer.Blob;
            string mediaType = ImageAssembler.LayerMediaType(compress ? options.Compression : layer.Compression, options.MediaType, runtime.Source);
            layers.Add(new PackageLayer(new Descriptor(mediaType, blob.Digest, blob.Length), layer.DiffId, blob)
            {
                UncompressedSize = layer.Size,
                Uncompressed = layer.Compression == Compression.None ? layer.Blob : null,
            });
        }

        layers.AddRange(packageLayers);
        ImageConfig config = runtime.Config.Append(
            [.. packageLayers.Select(l => l.DiffId)],
            "functionbuild",
            packageLayers.ToDictionary(l => $"{LayerAnnotation}:{l.Descriptor.Digest}", l => l.Descriptor.Annotations![LayerAnnotation]));

        return ImageAssembler.ToPlatform(workspace, config, layers, options.MediaType);
    }
}
