using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>
/// An OCI image layout, put together piece by piece: each <c>Add</c> stores blobs and returns the descriptor that
/// <see cref="Root"/> puts into <c>index.json</c>, or <see cref="Index"/> into an index of its own.
/// </summary>
internal sealed class OciLayout(Func<byte[], byte[]>? compress = null, string layerSuffix = "")
{
    private readonly Dictionary<Digest, byte[]> _blobs = [];
    private readonly JsonArray _root = [];

    public static OciLayout Gzip() => new(l => Compress.Gzip(l), "+gzip");

    public static OciLayout Zstd() => new(l => Compress.Zstd(l), "+zstd");

    public static string BlobName(Digest digest) => $"blobs/sha256/{digest.Hex}";

    /// <summary>A layer's bytes as they stand in this layout.</summary>
    public byte[] Encode(byte[] layer) => compress?.Invoke(layer) ?? layer;

    /// <summary>Stores bytes and describes them.</summary>
    public JsonObject Blob(byte[] content, string mediaType)
    {
        Digest digest = Digest.Of(content);
        _blobs[digest] = content;
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest.ToString(), ["size"] = content.Length };
    }

    /// <summary>Stores an image.</summary>
    public JsonObject Image(FixtureImage image, string configType = MediaTypes.OciConfig)
    {
        JsonObject manifest = new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Blob(image.Config, configType),
            ["layers"] = new JsonArray([.. image.Layers.Select(l => Blob(Encode(l), MediaTypes.OciLayer + layerSuffix))]),
        };
        JsonObject descriptor = Blob(Bytes(manifest), MediaTypes.OciManifest);
        descriptor["platform"] = new JsonObject { ["architecture"] = image.Architecture, ["os"] = image.Os };
        return descriptor;
    }

    /// <summary>Stores a build attestation, as BuildKit puts it beside an image.</summary>
    public JsonObject Attestation(JsonObject subject)
    {
        JsonObject descriptor = Image(new FixtureImage { Os = "unknown", Architecture = "unknown", Layers = [Encoding.UTF8.GetBytes("{\"predicateType\":\"x\"}")] });
        descriptor["annotations"] = new JsonObject
        {
            ["vnd.docker.reference.type"] = "attestation-manifest",
            ["vnd.docker.reference.digest"] = subject["digest"]!.GetValue<string>(),
        };
        return descriptor;
    }

    /// <summary>Stores an index of what is described.</summary>
    public JsonObject Index(params JsonObject[] entries) => Blob(Bytes(IndexObject([.. entries.Select(e => e.DeepClone())])), MediaTypes.OciIndex);

    /// <summary>Lists something in <c>index.json</c>, with a tag when it has one.</summary>
    public OciLayout Root(JsonObject descriptor, string? tag = null)
    {
        JsonNode entry = descriptor.DeepClone();
        if (tag is not null)
        {
            entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = tag };
        }

        _root.Add(entry);
        return this;
    }

    /// <summary>Takes a blob out, for a test of what is missing.</summary>
    public OciLayout Without(Digest digest)
    {
        _blobs.Remove(digest);
        return this;
    }

    /// <summary>The layout as a tar, folders first, as most tools write it.</summary>
    public TarBuilder Build()
    {
        TarBuilder tar = new TarBuilder().Directory("blobs/").Directory("blobs/sha256/");
        foreach ((Digest digest, byte[] content) in _blobs.OrderBy(b => b.Key))
        {
            tar.File(BlobName(digest), content);
        }

        return tar.File("index.json", Bytes(IndexObject((JsonArray)_root.DeepClone()))).File("oci-layout", """{"imageLayoutVersion":"1.0.0"}""");
    }

    private static JsonObject IndexObject(JsonArray manifests) => new()
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = MediaTypes.OciIndex,
        ["manifests"] = manifests,
    };

    private static byte[] Bytes(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());
}
