namespace FunctionBuild.Core.Oci;

/// <summary>An image index: manifests (or further indexes), each with its platform (OCI image spec, "Image Index").</summary>
/// <param name="MediaType">Docker's or OCI's index media type.</param>
/// <param name="Manifests">The entries, in the order written.</param>
public sealed record ImageIndex(string MediaType, IReadOnlyList<Descriptor> Manifests)
{
    /// <summary>The index's bytes: compact JSON in a fixed key order, the same on every machine.</summary>
    public byte[] ToJson() => OciJson.Write(this);
}
