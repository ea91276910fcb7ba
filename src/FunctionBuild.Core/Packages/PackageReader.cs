using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Packages;

/// <summary>
/// Reads package files (<c>.xpkg</c>): Docker archives of one or more images that each have a package layer. Layers stay
/// as they are in the file, and manifests follow from them, so that a package that was saved has the digests that it had
/// before.
/// </summary>
public static class PackageReader
{
    private const string PackageFileName = "package.yaml";
    private const string ExamplesFileName = ".up/examples.yaml";
    private const string PackageMark = "base";
    private const string ExamplesMark = "upbound";

    /// <summary>Reads one package file, once, into a workspace. On any error, and on cancellation, no layer of it stays there.</summary>
    /// <param name="workspace">Where the layers go; those of a plain archive stay in the file.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="progress">Told how far the reading is; may be null.</param>
    /// <param name="cancellation">Stops at once.</param>
    /// <exception cref="TarballException">
    /// The file cannot be read as an image archive; or ErrorId <c>NotAPackage</c>, <c>SeveralPackageLayers</c>,
    /// <c>PackageYamlMissing</c>, <c>LayerNotTar</c> or <c>LayerFileTooLarge</c>.
    /// </exception>
    /// <exception cref="MetadataException">What the package layer says breaks the rules.</exception>
    /// <exception cref="FunctionBuildException">ErrorId <c>ZstdNeedsOci</c>, or the workspace cannot be used.</exception>
    public static async Task<PackageFile> ReadAsync(BuildWorkspace workspace, string path, PackageReadOptions options, ImportProgress? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentNullException.ThrowIfNull(options);
        path = Path.GetFullPath(path);
        List<PackagedImage> images = await TarballImporter.ImportAsync<PackagedImage>(
            workspace,
            path,
            options.MaximumExpandedSize,
            (found, token) => [.. found.Select(i => ToPackaged(workspace, path, i, options.MediaType, token))],
            progress,
            cancellation).ConfigureAwait(false);
        return new PackageFile(path, workspace, images);
    }

    /// <summary>The functions of a file by its tags: one for each repository that they name, in their order.</summary>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>RepositoryUnknown</c>, <c>InvalidRepository</c>, <c>RepositoryForSeveralFunctions</c>, <c>DuplicatePlatform</c> or <c>WorkspaceRemoved</c>.
    /// </exception>
    public static IReadOnlyList<FunctionImage> ToFunctions(PackageFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        List<(string Repository, PackagedImage Image)> placed = [.. file.Images.SelectMany(i => RepositoriesOf(file.Path, i).Select(r => (r, i)))];
        return [.. placed.GroupBy(p => p.Repository, p => p.Image, StringComparer.Ordinal).Select(g => Join(file.Workspace, [.. g], g.Key))];
    }

    /// <summary>The one function that files make up together, such as those of several platforms.</summary>
    /// <param name="files">The files, all in one workspace.</param>
    /// <param name="repository">The function's repository; the tags in the files are not looked at.</param>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>InvalidRepository</c>, <c>RepositoryForSeveralFunctions</c>, <c>DuplicatePlatform</c> or <c>WorkspaceRemoved</c>.
    /// </exception>
    public static FunctionImage ToFunction(IReadOnlyList<PackageFile> files, string repository)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentOutOfRangeException.ThrowIfZero(files.Count);
        return Join(files[0].Workspace, [.. files.SelectMany(f => f.Images)], repository);
    }

    private static FunctionImage Join(BuildWorkspace workspace, IReadOnlyList<PackagedImage> images, string repository)
    {
        RepositoryName.Check(repository);
        if (images.DistinctBy(i => i.Package.Name).Skip(1).Any())
        {
            throw new FunctionBuildException(
                "RepositoryForSeveralFunctions",
                FaultKind.InvalidArgument,
                $"'{repository}' is one repository, but there are several functions for it: {string.Join(", ", images.DistinctBy(i => i.Package.Name).Select(i => $"{i.Package.Name} in '{i.Source}'"))}. Push each to a repository of its own.",
                repository);
        }

        List<PackagedImage> distinct = [.. images.DistinctBy(i => i.Image.Digest)];
        if (distinct.GroupBy(i => i.Image.Platform).FirstOrDefault(g => g.Count() > 1) is { } same)
        {
            throw new FunctionBuildException(
                "DuplicatePlatform",
                FaultKind.InvalidArgument,
                $"There is more than one image for {same.Key} of function '{same.First().Package.Name}', in {string.Join(" and ", same.Select(i => $"'{i.Source}'").Distinct(StringComparer.Ordinal))}. One image per platform is expected.",
                repository);
        }

        using BuildWorkspace.WorkspaceUse use = workspace.Use(CancellationToken.None);
        FunctionMetadata package = distinct[0].Package;
        return ImageAssembler.ToFunction(workspace, FunctionNaming.NameOf(repository, package.Name), repository, package, distinct.Select(i => i.Image));
    }

    // Names without a host are what local builds are called; taking them for places at Docker Hub would publish what nobody wanted there.
    private static List<string> RepositoriesOf(string path, PackagedImage image)
    {
        List<string> repositories = [.. image.Tags.Select(WithoutTag).Where(r => ReferenceGrammar.Split(r).Host is not null).Distinct(StringComparer.Ordinal)];
        string found = image.Tags.Count == 0 ? "has no tag" : $"has tags without a registry ({string.Join(", ", image.Tags)})";
        return repositories.Count > 0
            ? repositories
            : throw new FunctionBuildException("RepositoryUnknown", FaultKind.InvalidArgument, $"'{path}' does not say where its package belongs: the image for {image.Image.Platform} {found}. Name the repository with -Repository.", path);
    }

    private static string WithoutTag(string reference)
    {
        int digest = reference.IndexOf('@', StringComparison.Ordinal);
        string name = digest < 0 ? reference : reference[..digest];
        int colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? name[..colon] : name;
    }

    private static PackagedImage ToPackaged(BuildWorkspace workspace, string path, ResolvedImage image, ManifestKind kind, CancellationToken cancellation)
    {
        FunctionMetadata package = ReadMetadata(path, image, cancellation);
        List<PackageLayer> layers = [.. image.Layers.Select(layer => new PackageLayer(ToDescriptor(path, layer, MarkOf(image.Config, layer), kind), layer.DiffId, layer.Blob) { UncompressedSize = layer.Size })];
        return new PackagedImage(path, ImageAssembler.ToPlatform(workspace, image.Config, layers, kind), package, image.Tags);
    }

    private static Descriptor ToDescriptor(string path, ImageLayer layer, string? mark, ManifestKind kind) =>
        new(ImageAssembler.LayerMediaType(layer.Compression, kind, path), layer.Blob.Digest, layer.Blob.Length)
        {
            Annotations = mark is null ? null : new Dictionary<string, string> { [FunctionImageBuilder.LayerAnnotation] = mark },
        };

    // An archive has no place for a layer's annotations; the config's labels keep them.
    private static string? MarkOf(ImageConfig config, ImageLayer layer) =>
        config.Labels.GetValueOrDefault($"{FunctionImageBuilder.LayerAnnotation}:{layer.Blob.Digest}");

    private static FunctionMetadata ReadMetadata(string path, ResolvedImage image, CancellationToken cancellation)
    {
        List<ImageLayer> marked = Marked(PackageMark);
        byte[] yaml = marked.Count switch
        {
            0 => FindInFileSystem(path, image, cancellation),
            1 => Read(marked[0], PackageFileName) ?? throw new TarballException("PackageYamlMissing", path, null, $"its layer {marked[0].Blob.Digest} is marked as the package layer, but has no {PackageFileName}."),
            _ => throw new TarballException("SeveralPackageLayers", path, null, $"{marked.Count} layers of the image for {image.Config.Platform} are marked as the package layer; one is expected."),
        };
        FunctionMetadata metadata = MetadataReader.Read($"{path}: {PackageFileName}", yaml);
        return Marked(ExamplesMark).Select(l => Read(l, ExamplesFileName)).FirstOrDefault(e => e is not null) is { } examples
            ? metadata with { Examples = MetadataReader.Decode($"{path}: {ExamplesFileName}", examples) }
            : metadata;

        List<ImageLayer> Marked(string mark) => [.. image.Layers.Where(l => MarkOf(image.Config, l) == mark).DistinctBy(l => l.Blob.Digest)];

        byte[]? Read(ImageLayer layer, string name) => LayerFiles.Read(path, layer, name, MetadataReader.MaximumFileSize, cancellation).Content;
    }

    // Marks are lost where a tool compressed layers anew. Crossplane then takes the file from the image's file system.
    private static byte[] FindInFileSystem(string path, ResolvedImage image, CancellationToken cancellation)
    {
        foreach (ImageLayer layer in image.Layers.Reverse())
        {
            (byte[]? content, bool isRemoved) = LayerFiles.Read(path, layer, PackageFileName, MetadataReader.MaximumFileSize, cancellation);
            if (content is not null)
            {
                return content;
            }

            if (isRemoved)
            {
                break;
            }
        }

        throw new TarballException("NotAPackage", path, null, $"the image for {image.Config.Platform} has no {PackageFileName}: it is a function's runtime image, or another image, and no package. Give it to Import-FunctionTarball and Build-FunctionImage first.");
    }
}
