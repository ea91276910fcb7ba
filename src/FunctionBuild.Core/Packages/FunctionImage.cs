using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Packages;

/// <summary>A function's multi-platform package, ready to be saved or published.</summary>
public sealed record FunctionImage
{
    /// <summary>The function's name.</summary>
    public required string Name { get; init; }

    /// <summary>The repository that it is published to, without tag.</summary>
    public required string Repository { get; init; }

    /// <summary>Digest of the index.</summary>
    public Digest Digest => Index.Digest;

    /// <summary>The index's media type.</summary>
    public string MediaType { get; } = MediaTypes.OciIndex;

    /// <summary>The index's bytes.</summary>
    public required Blob Index { get; init; }

    /// <summary>One image per platform, in the order of the index: by manifest digest.</summary>
    public required IReadOnlyList<PlatformImage> Images { get; init => field = ReadOnly.Copy(value); }

    /// <summary>The package's metadata.</summary>
    public required FunctionMetadata Package { get; init; }

    /// <summary>The workspace that holds the layers.</summary>
    public required BuildWorkspace Workspace { get; init; }

    /// <summary>The sum of the distinct layers' sizes over all platforms, in bytes.</summary>
    public long Size => Images.SelectMany(i => i.Layers).DistinctBy(l => l.Descriptor.Digest).Sum(l => l.Descriptor.Size);

    /// <summary>Repository and digest.</summary>
    public override string ToString() => $"{Repository}@{Digest}";
}
