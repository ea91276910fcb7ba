using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Packages;

/// <summary>How layers are compressed and manifests written.</summary>
public sealed record BuildOptions
{
    /// <summary>The default level for gzip: the fastest, as the reference's.</summary>
    public const int DefaultGzipLevel = 1;

    /// <summary>The default level for zstd.</summary>
    public const int DefaultZstdLevel = 3;

    /// <summary>gzip, zstd or none, for layers that came uncompressed; layers that came compressed stay as they are.</summary>
    public Compression Compression { get; init; } = Compression.Gzip;

    /// <summary>The encoder's level: 0 to 9 for gzip, 1 to 19 for zstd; a default when null.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>Docker's media types or OCI's.</summary>
    public ManifestKind MediaType { get; init; } = ManifestKind.Docker;

    /// <summary>How many layers are compressed at a time.</summary>
    public int ThrottleLimit { get; init; } = Environment.ProcessorCount;

    internal int Level => CompressionLevel ?? (Compression == Compression.Zstd ? DefaultZstdLevel : DefaultGzipLevel);

    /// <summary>Makes sure that the options make sense together.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidCompressionLevel</c> or <c>ZstdNeedsOci</c>.</exception>
    public void Validate()
    {
        (int least, int most) = Compression == Compression.Zstd ? (1, 19) : (0, 9);
        if (CompressionLevel is { } level && (level < least || level > most))
        {
            throw new FunctionBuildException("InvalidCompressionLevel", FaultKind.InvalidArgument, $"The compression level {level} is out of range: {Compression} takes {least} to {most}.", level);
        }

        if (Compression == Compression.Zstd && MediaType == ManifestKind.Docker)
        {
            throw new FunctionBuildException("ZstdNeedsOci", FaultKind.InvalidArgument, "Docker's media types have no name for zstd layers. Use -MediaType Oci with -Compression Zstd.", Compression);
        }
    }
}
