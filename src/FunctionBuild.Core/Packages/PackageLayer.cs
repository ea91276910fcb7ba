using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Packages;

/// <summary>A layer of a function image, as it is published.</summary>
/// <param name="Descriptor">Media type, digest, size and annotations in the manifest.</param>
/// <param name="DiffId">Digest of the uncompressed tar.</param>
/// <param name="Blob">Where the layer's bytes are.</param>
public sealed record PackageLayer(Descriptor Descriptor, Digest DiffId, Blob Blob)
{
    /// <summary>How the bytes of <see cref="Blob"/> are compressed.</summary>
    internal Compression Compression => Descriptor.MediaType switch
    {
        string type when type.EndsWith("gzip", StringComparison.Ordinal) => Compression.Gzip,
        string type when type.EndsWith("zstd", StringComparison.Ordinal) => Compression.Zstd,
        _ => Compression.None,
    };

    /// <summary>Number of bytes of the uncompressed tar.</summary>
    internal long UncompressedSize { get; init; }

    /// <summary>Where the uncompressed tar is, as it came; null when the layer came compressed.</summary>
    internal Blob? Uncompressed { get; init; }

    /// <summary>
    /// Opens the uncompressed tar, whose length the stream tells; what is on disk uncompressed is preferred. Reading to
    /// its end verifies it.
    /// </summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>BlobChanged</c>.</exception>
    internal Stream OpenUncompressed()
    {
        if (Compression == Compression.None)
        {
            return Blob.OpenRead();
        }

        return FindUncompressed()?.OpenRead() ?? new DecodedBlobStream(Blob, Compression, UncompressedSize);
    }

    /// <summary>The uncompressed tar as it came; null when the layer came compressed, or its tarball is no longer there.</summary>
    internal Blob? FindUncompressed() =>
        // Of a slice of a tarball that its owner took away meanwhile, the compressed form is ours.
        Uncompressed is { } plain && File.Exists(plain.FilePath) ? plain : null;

    /// <summary>Short digest and size.</summary>
    public override string ToString() => $"{Descriptor.Digest.ShortHex} ({Descriptor.Size:N0} bytes)";
}
