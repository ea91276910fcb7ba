namespace FunctionBuild.Core.Oci;

/// <summary>Points at content: media type, digest and size in bytes (OCI image spec, "Content Descriptors").</summary>
/// <param name="MediaType">Media type of the content.</param>
/// <param name="Digest">Digest of the content.</param>
/// <param name="Size">Size of the content in bytes.</param>
public sealed record Descriptor(string MediaType, Digest Digest, long Size)
{
    /// <summary>Annotations, written in ordinal order of their keys; null when there are none.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The platform, in the entries of an index; null elsewhere.</summary>
    public Platform? Platform { get; init; }
}
