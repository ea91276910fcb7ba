using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Packages;

/// <summary>Writes the documents of packages: a manifest for each platform, an index for each function.</summary>
internal static class ImageAssembler
{
    /// <summary>The media type of a layer.</summary>
    /// <param name="compression">How the layer is compressed.</param>
    /// <param name="kind">Whose media types.</param>
    /// <param name="source">Where the layer is from, for the error message.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>ZstdNeedsOci</c>.</exception>
    public static string LayerMediaType(Compression compression, ManifestKind kind, string source) => (compression, kind) switch
    {
        (Compression.None, ManifestKind.Docker) => MediaTypes.DockerLayer,
        (Compression.Gzip, ManifestKind.Docker) => MediaTypes.DockerLayer + ".gzip",
        (Compression.None, ManifestKind.Oci) => MediaTypes.OciLayer,
        (Compression.Gzip, ManifestKind.Oci) => MediaTypes.OciLayer + "+gzip",
        (Compression.Zstd, ManifestKind.Oci) => MediaTypes.OciLayer + "+zstd",
        _ => throw new FunctionBuildException("ZstdNeedsOci", FaultKind.InvalidArgument, $"'{source}' has layers compressed with zstd, for which Docker's media types have no name. Use -MediaType Oci.", source),
    };

    /// <summary>The image of one platform; its manifest and config are put into the workspace.</summary>
    public static PlatformImage ToPlatform(BuildWorkspace workspace, ImageConfig config, IReadOnlyList<PackageLayer> layers, ManifestKind kind)
    {
        bool oci = kind == ManifestKind.Oci;
        var manifest = new ImageManifest(
            oci ? MediaTypes.OciManifest : MediaTypes.DockerManifest,
            new Descriptor(oci ? MediaTypes.OciConfig : MediaTypes.DockerConfig, config.Digest, config.Size),
            [.. layers.Select(l => l.Descriptor)]);
        return new PlatformImage
        {
            Platform = config.Platform,
            MediaType = manifest.MediaType,
            Manifest = workspace.Blobs.Put(manifest.ToJson()),
            Config = workspace.Blobs.Put(config.Json.Span),
            Layers = layers,
        };
    }

    /// <summary>The function of its platforms' images, in whatever order they come; its index is put into the workspace.</summary>
    public static FunctionImage ToFunction(BuildWorkspace workspace, string name, string repository, FunctionMetadata metadata, IEnumerable<PlatformImage> images)
    {
        List<PlatformImage> sorted = [.. images.OrderBy(i => i.Digest)];
        var index = new ImageIndex(MediaTypes.OciIndex, [.. sorted.Select(i => new Descriptor(i.MediaType, i.Digest, i.Manifest.Length) { Platform = i.Platform })]);
        return new FunctionImage
        {
            Name = name,
            Repository = repository,
            Index = workspace.Blobs.Put(index.ToJson()),
            Images = sorted,
            Package = metadata,
            Workspace = workspace,
        };
    }
}
