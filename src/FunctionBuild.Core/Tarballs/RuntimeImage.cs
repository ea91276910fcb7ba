using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tarballs;

/// <summary>A function's runtime image for one platform, read from a tarball into a workspace.</summary>
public sealed record RuntimeImage
{
    /// <summary>The function's name.</summary>
    public required string Name { get; init; }

    /// <summary>What the image runs on, as its config says.</summary>
    public required Platform Platform { get; init; }

    /// <summary>Tags in the tarball, in its order; often empty.</summary>
    public required IReadOnlyList<string> Tags { get; init => field = ReadOnly.Copy(value); }

    /// <summary>The tarball's full path.</summary>
    public required string Source { get; init; }

    /// <summary>The image's config.</summary>
    public required ImageConfig Config { get; init; }

    /// <summary>The layers, the base first.</summary>
    public required IReadOnlyList<ImageLayer> Layers { get; init => field = ReadOnly.Copy(value); }

    /// <summary>The workspace that holds the layers.</summary>
    public required BuildWorkspace Workspace { get; init; }

    /// <summary>The sum of the uncompressed layers' sizes in bytes.</summary>
    public long Size => Layers.Sum(l => l.Size);

    /// <summary>Name and platform.</summary>
    public override string ToString() => $"{Name} ({Platform})";
}
