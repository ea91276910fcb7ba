using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tarballs;

/// <summary>A layer of a runtime image.</summary>
/// <param name="DiffId">Digest of the layer's uncompressed tar.</param>
/// <param name="Size">Size of the uncompressed tar in bytes.</param>
/// <param name="Compression">How the layer's bytes came; a compressed layer is kept as it came.</param>
/// <param name="Blob">Where the layer's bytes are.</param>
public sealed record ImageLayer(Digest DiffId, long Size, Compression Compression, Blob Blob)
{
    /// <summary>Short diff ID and size.</summary>
    public override string ToString() => $"{DiffId.ShortHex} ({Size:N0} bytes)";
}
