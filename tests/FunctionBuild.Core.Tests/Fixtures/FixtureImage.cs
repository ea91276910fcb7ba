using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>An image whose bytes a test knows: layers are small tars, the config is made from them unless it is given.</summary>
internal sealed record FixtureImage
{
    private byte[]? _config;

    public string Os { get; init; } = "linux";

    public string Architecture { get; init; } = "amd64";

    public string? Variant { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The layers' uncompressed tars, the base first.</summary>
    public IReadOnlyList<byte[]> Layers { get; init; } = [Layer("base"), Layer("top")];

    public IReadOnlyList<Digest> DiffIds => [.. Layers.Select(l => Digest.Of(l))];

    /// <summary>The config's bytes; set them to make one that is wrong.</summary>
    public byte[] Config
    {
        get => _config ?? Encoding.UTF8.GetBytes(ConfigObject().ToJsonString());
        init => _config = value;
    }

    public Digest ConfigDigest => Digest.Of(Config);

    /// <summary>A tar of one file of that name, whose content does not compress well.</summary>
    public static byte[] Layer(string name, int size = 700) => new TarBuilder().File(name, Noise(name, size)).Build();

    /// <summary>Bytes that look random and are the same on every run.</summary>
    public static byte[] Noise(string seed, int size)
    {
        byte[] bytes = new byte[size];
        new Random(seed.Aggregate(17, (hash, c) => (hash * 31) + c)).NextBytes(bytes);
        return bytes;
    }

    /// <summary>The config as JSON, for a test to change.</summary>
    public JsonObject ConfigObject()
    {
        var root = new JsonObject
        {
            ["architecture"] = Architecture,
            ["os"] = Os,
            ["config"] = new JsonObject
            {
                ["Entrypoint"] = new JsonArray("/function"),
                [nameof(Labels)] = new JsonObject(Labels.Select(l => KeyValuePair.Create<string, JsonNode?>(l.Key, l.Value))),
            },
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. DiffIds.Select(d => JsonValue.Create(d.ToString()))]),
            },
            ["history"] = new JsonArray([.. Layers.Select(_ => new JsonObject { ["created_by"] = "fixture" })]),
        };
        if (Variant is not null)
        {
            root["variant"] = Variant;
        }

        return root;
    }
}
