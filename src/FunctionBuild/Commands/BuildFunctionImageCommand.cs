using System.Collections;
using System.Management.Automation;
using FunctionBuild.Core;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Makes multi-platform function packages of runtime images.</summary>
// The standard's reference assembly is older than the verb.
[Cmdlet("Build", "FunctionImage", DefaultParameterSetName = OptionsSet)]
[OutputType(typeof(FunctionImage))]
public sealed class BuildFunctionImageCommand : AsyncCommand
{
    private const string OptionsSet = "Options";
    private const string FileSet = "File";

    private readonly List<RuntimeImage> _images = [];
    private readonly BuildProgress _progress = new();

    /// <summary>The runtime images; those of one function are grouped by name.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public RuntimeImage[] InputObject { get; set; } = [];

    /// <summary>The repository: the function's own, or that of the project to which the functions belong.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Repository { get; set; } = string.Empty;

    /// <summary>The function's name; that of the runtime images when not given.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>A <c>crossplane.yaml</c>, or a folder that holds one, with CRDs and examples.</summary>
    [Parameter(Mandatory = true, ParameterSetName = FileSet)]
    [ValidateNotNullOrEmpty]
    public string? MetadataPath { get; set; }

    /// <summary>Annotations of the package's metadata.</summary>
    [Parameter(ParameterSetName = OptionsSet)]
    [ValidateNotNull]
    public IDictionary Annotation { get; set; } = new Hashtable();

    /// <summary>What the function can do.</summary>
    [Parameter(ParameterSetName = OptionsSet)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(CapabilityCompleter))]
    public string[] Capability { get; set; } = [.. MetadataOptions.DefaultCapabilities];

    /// <summary>The Crossplane versions that the package works with, a semver constraint.</summary>
    [Parameter(ParameterSetName = OptionsSet)]
    [ValidateNotNullOrEmpty]
    public string? CrossplaneVersion { get; set; }

    /// <summary>How layers that came uncompressed are compressed.</summary>
    [Parameter]
    [ValidateSet(nameof(Core.Content.Compression.Gzip), nameof(Core.Content.Compression.Zstd), nameof(Core.Content.Compression.None))]
    public Compression Compression { get; set; } = Compression.Gzip;

    /// <summary>The compression's level.</summary>
    [Parameter]
    public int? CompressionLevel { get; set; }

    /// <summary>Docker's media types, as the reference writes them, or OCI's.</summary>
    [Parameter]
    public ManifestKind MediaType { get; set; } = ManifestKind.Docker;

    /// <summary>How many layers are compressed at a time.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int ThrottleLimit { get; set; } = Environment.ProcessorCount;

    private BuildOptions Options => new()
    {
        Compression = Compression,
        CompressionLevel = CompressionLevel,
        MediaType = MediaType,
        ThrottleLimit = ThrottleLimit,
    };

    /// <inheritdoc/>
    protected override void BeginProcessing() => EndOnFault(() =>
    {
        Options.Validate();
        RepositoryName.Check(Repository);
    });

    /// <inheritdoc/>
    protected override void ProcessRecord() => _images.AddRange(InputObject);

    /// <inheritdoc/>
    protected override void EndProcessing() => EndOnFault(() =>
    {
        List<IGrouping<string, RuntimeImage>> functions = [.. _images.GroupBy(i => Name ?? i.Name, StringComparer.Ordinal)];
        if (MetadataPath is not null && functions.Count > 1)
        {
            throw new FunctionBuildException(
                "MetadataForSeveralFunctions",
                FaultKind.InvalidArgument,
                $"'{MetadataPath}' describes one function, but images of {functions.Count} came: {string.Join(", ", functions.Select(f => f.Key))}. Build each with its own -MetadataPath, or give -Name if they are one.",
                MetadataPath);
        }

        string? metadataPath = MetadataPath is null ? null : PathInput.Literal(this, MetadataPath);
        Wait(cancellation => BuildAsync(functions, metadataPath, cancellation));
    });

    /// <inheritdoc/>
    protected override void ShowProgress() => ReportProgress(0, "Compressing layers", _progress.BytesDone, _progress.TotalBytes);

    private async Task BuildAsync(List<IGrouping<string, RuntimeImage>> functions, string? metadataPath, CancellationToken cancellation)
    {
        var groups = new List<FunctionGroup>();
        foreach (IGrouping<string, RuntimeImage> function in functions)
        {
            try
            {
                groups.Add(await DescribeAsync(function, metadataPath, cancellation).ConfigureAwait(false));
            }
            catch (FunctionBuildException e)
            {
                Post(() => WriteFault(e));
            }
        }

        await FunctionImageBuilder.CompressLayersAsync(groups, Options, _progress, cancellation).ConfigureAwait(false);
        foreach (FunctionGroup group in groups)
        {
            try
            {
                FunctionImage image = await FunctionImageBuilder.BuildAsync(group, Options, cancellation).ConfigureAwait(false);
                Post(() =>
                {
                    WriteVerbose($"Built {image}: package '{image.Package.Name}' for {string.Join(", ", image.Images.Select(i => i.Platform))}, {ByteSize.Format(image.Size)} of layers.");
                    WriteObject(image);
                });
            }
            catch (FunctionBuildException e)
            {
                Post(() => WriteFault(e));
            }
        }
    }

    private async Task<FunctionGroup> DescribeAsync(IGrouping<string, RuntimeImage> function, string? metadataPath, CancellationToken cancellation)
    {
        if (metadataPath is not null)
        {
            FunctionMetadata read = await MetadataReader.ReadAsync(metadataPath, cancellation).ConfigureAwait(false);
            return new FunctionGroup(function.Key, Repository, read, [.. function]);
        }

        var metadata = new MetadataOptions
        {
            Name = FunctionNaming.PackageNameOf(Repository, function.Key),
            Annotations = ReadAnnotations(),
            Capabilities = Capability,
            CrossplaneVersion = CrossplaneVersion,
        };
        return new FunctionGroup(function.Key, FunctionNaming.RepositoryOf(Repository, function.Key), MetadataWriter.Synthesise(metadata), [.. function]);
    }

    private Dictionary<string, string> ReadAnnotations()
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Annotation)
        {
            string key = LanguagePrimitives.ConvertTo<string>(entry.Key);
            if (!annotations.TryAdd(key, LanguagePrimitives.ConvertTo<string>(entry.Value)))
            {
                throw new Core.Packages.MetadataException(null, 0, "metadata.annotations", $"two keys of -Annotation are written '{key}'. Give each annotation once.");
            }
        }

        return annotations;
    }
}
