using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Packages;

/// <summary>A layer of a function image, as it is published.</summary>
/// <param name="Descriptor">Media type, digest, size and annotations in the manifest.</param>
/// <param name="DiffId">Digest of the uncompressed tar.</param>
/// <param name="Blob">Where the layer's bytes are.</param>
public sealed record PackageLayer(Descriptor Descriptor, Digest DiffId, Blob Blob)
{
    /// <summary>Short digest and size.</summary>
    public override string ToString() => $"{Descriptor.Digest.ShortHex} ({Descriptor.Size:N0} bytes)";
}
