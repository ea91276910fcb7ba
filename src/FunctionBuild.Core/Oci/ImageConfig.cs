using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Oci;

/// <summary>
/// An image config (OCI image spec, "Image Configuration"). What this project does not know of it is kept
/// as it came.
/// </summary>
public sealed record ImageConfig
{
    private readonly byte[] _json;

    private ImageConfig(byte[] json, Platform platform, IReadOnlyList<Digest> diffIds, IReadOnlyDictionary<string, string> labels)
    {
        _json = json;
        Platform = platform;
        DiffIds = ReadOnly.Copy(diffIds);
        Labels = labels;
        Digest = Digest.Of(json);
    }

    /// <summary>Digest of the config's bytes, the image's id.</summary>
    public Digest Digest { get; }

    /// <summary>Size of the config's bytes.</summary>
    public int Size => _json.Length;

    /// <summary>What the image runs on.</summary>
    public Platform Platform { get; }

    /// <summary>Digest of each layer's uncompressed tar, the base first (<c>rootfs.diff_ids</c>).</summary>
    public IReadOnlyList<Digest> DiffIds { get; }

    /// <summary>Labels (<c>config.Labels</c>).</summary>
    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>The config's bytes, as they came.</summary>
    public ReadOnlyMemory<byte> Json => _json;

    /// <summary>The command that the image runs, <c>config.Entrypoint</c>; empty when there is none.</summary>
    public IReadOnlyList<string> Entrypoint => ReadOnly.Copy(ReadStrings("Entrypoint"));

    /// <summary>Arguments of the command, or the command itself when there is no entrypoint, <c>config.Cmd</c>; empty when there are none.</summary>
    public IReadOnlyList<string> Cmd => ReadOnly.Copy(ReadStrings("Cmd"));

    /// <summary>Environment variables, <c>config.Env</c>: <c>NAME=VALUE</c>, in order.</summary>
    public IReadOnlyList<string> Env => ReadOnly.Copy(ReadStrings("Env"));

    /// <summary>User, or user and group with a colon between, by name or number (<c>config.User</c>); empty for root.</summary>
    public string User => ReadString("User");

    /// <summary>The folder that the command starts in (<c>config.WorkingDir</c>); empty for the root folder.</summary>
    public string WorkingDir => ReadString("WorkingDir");

    /// <summary>Reads a config.</summary>
    /// <exception cref="FormatException">Not JSON, or a field that an image needs is missing or malformed; the message says which.</exception>
    public static ImageConfig Parse(ReadOnlyMemory<byte> json)
    {
        using JsonDocument document = OciJson.ParseObject(json);
        JsonElement root = document.RootElement;
        var platform = new Platform(
            OciJson.RequiredString(root, "os"),
            OciJson.RequiredString(root, "architecture"),
            OciJson.OptionalString(root, "variant"),
            OciJson.OptionalString(root, "os.version"));

        if (!root.TryGetProperty("rootfs", out JsonElement rootfs) || rootfs.ValueKind != JsonValueKind.Object
            || !rootfs.TryGetProperty("diff_ids", out JsonElement ids) || ids.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
        {
            throw new FormatException("'rootfs.diff_ids' is missing");
        }

        var diffIds = new List<Digest>();
        if (ids.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement id in ids.EnumerateArray())
            {
                diffIds.Add(id.ValueKind == JsonValueKind.String && Digest.TryParse(id.GetString(), out Digest digest)
                    ? digest
                    : throw new FormatException($"'rootfs.diff_ids[{diffIds.Count}]' is not a sha256 digest"));
            }
        }

        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (root.TryGetProperty("config", out JsonElement config) && config.ValueKind == JsonValueKind.Object
            && config.TryGetProperty(nameof(Labels), out JsonElement labelMap) && labelMap.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty label in labelMap.EnumerateObject())
            {
                labels[label.Name] = label.Value.ValueKind == JsonValueKind.String
                    ? label.Value.GetString()!
                    : throw new FormatException($"label '{label.Name}' is not a string");
            }
        }

        return new ImageConfig(json.ToArray(), platform, diffIds, labels);
    }

    /// <summary>
    /// This config with layers put on top: their diff IDs, a history entry without time for each, and labels.
    /// Everything else stays as it is, in the order in which it stands.
    /// </summary>
    /// <param name="diffIds">Diff IDs of the added layers, lowest first.</param>
    /// <param name="createdBy">What the history entries name as their origin.</param>
    /// <param name="labels">Labels to add; an existing label of the same name is replaced.</param>
    public ImageConfig Append(IReadOnlyList<Digest> diffIds, string createdBy, IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(diffIds);
        ArgumentNullException.ThrowIfNull(labels);
        JsonObject root = JsonNode.Parse(_json)!.AsObject();

        JsonObject rootfs = root["rootfs"]!.AsObject();
        if (rootfs["diff_ids"] is not JsonArray)
        {
            rootfs["diff_ids"] = new JsonArray();
        }

        JsonArray ids = rootfs["diff_ids"]!.AsArray();
        // Readers pair history entries with layers; a history that does not match the layers is left as it is.
        var history = root["history"] as JsonArray;
        bool matches = history?.Count(h => (h as JsonObject)?["empty_layer"]?.GetValueKind() != JsonValueKind.True) == ids.Count;
        foreach (Digest diffId in diffIds)
        {
            ids.Add(JsonValue.Create(diffId.ToString()));
            if (matches)
            {
                history!.Add(new JsonObject { ["created_by"] = createdBy });
            }
        }

        if (root["config"] is not JsonObject)
        {
            root["config"] = new JsonObject();
        }

        JsonObject config = root["config"]!.AsObject();
        var merged = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, string value) in Labels.Concat(labels))
        {
            merged[key] = value;
        }

        var map = new JsonObject();
        foreach ((string key, string value) in merged)
        {
            map[key] = value;
        }

        config[nameof(Labels)] = map;
        return Parse(OciJson.ToBytes(root));
    }

    /// <summary>The config's digest.</summary>
    public override string ToString() => Digest.ToString();

    private string ReadString(string property)
    {
        using JsonDocument document = JsonDocument.Parse(_json);
        return document.RootElement.TryGetProperty("config", out JsonElement config) && config.ValueKind == JsonValueKind.Object
            && config.TryGetProperty(property, out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : string.Empty;
    }

    private List<string> ReadStrings(string property)
    {
        using JsonDocument document = JsonDocument.Parse(_json);
        return document.RootElement.TryGetProperty("config", out JsonElement config) && config.ValueKind == JsonValueKind.Object
            && config.TryGetProperty(property, out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(e => e.ToString())]
            : [];
    }
}
