using FunctionBuild.Core.Tarballs;

namespace FunctionBuild.Core.Packages;

/// <summary>How a package file is read.</summary>
public sealed record PackageReadOptions
{
    /// <summary>Whose media types the manifests get; a package file does not tell.</summary>
    public ManifestKind MediaType { get; init; } = ManifestKind.Docker;

    /// <summary>What one file may decompress to, in bytes.</summary>
    public long MaximumExpandedSize { get; init; } = ImportOptions.DefaultMaximumExpandedSize;
}
