using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Packages;

/// <summary>A function's package for one platform: the runtime image and the package layer on top.</summary>
public sealed record PlatformImage
{
    /// <summary>What it runs on.</summary>
    public required Platform Platform { get; init; }

    /// <summary>Digest of the manifest.</summary>
    public Digest Digest => Manifest.Digest;

    /// <summary>The manifest's bytes.</summary>
    public required Blob Manifest { get; init; }

    /// <summary>The manifest's media type.</summary>
    public required string MediaType { get; init; }

    /// <summary>The config's bytes.</summary>
    public required Blob Config { get; init; }

    /// <summary>The layers, the base first.</summary>
    public required IReadOnlyList<PackageLayer> Layers { get; init => field = ReadOnly.Copy(value); }

    /// <summary>The sum of the layers' sizes as published, in bytes.</summary>
    public long Size => Layers.Sum(l => l.Descriptor.Size);

    /// <summary>Platform and short digest.</summary>
    public override string ToString() => $"{Platform} {Digest.ShortHex}";
}
