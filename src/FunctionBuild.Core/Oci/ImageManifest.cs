namespace FunctionBuild.Core.Oci;

/// <summary>An image manifest: one config and its layers, the base first (OCI image spec, "Image Manifest").</summary>
/// <param name="MediaType">Docker's or OCI's manifest media type.</param>
/// <param name="Config">The config.</param>
/// <param name="Layers">The layers, the base first.</param>
public sealed record ImageManifest(string MediaType, Descriptor Config, IReadOnlyList<Descriptor> Layers)
{
    /// <summary>The manifest's bytes: compact JSON in a fixed key order, the same on every machine.</summary>
    public byte[] ToJson() => OciJson.Write(this);
}
