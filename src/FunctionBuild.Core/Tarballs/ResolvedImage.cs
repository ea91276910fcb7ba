using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tarballs;

/// <summary>An image found in a tarball, every digest verified.</summary>
internal sealed record ResolvedImage(ImageConfig Config, IReadOnlyList<ImageLayer> Layers, IReadOnlyList<string> Tags);
