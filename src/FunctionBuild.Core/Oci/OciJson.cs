using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Oci;

/// <summary>Reads and writes the JSON of manifests, indexes and configs, without reflection and in fixed key order.</summary>
internal static class OciJson
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Two readers that pick different twins of a duplicated key would see different images.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static JsonDocument ParseObject(ReadOnlyMemory<byte> json) => Parse(json, JsonValueKind.Object, "a JSON object");

    public static JsonDocument ParseArray(ReadOnlyMemory<byte> json) => Parse(json, JsonValueKind.Array, "a JSON array");

    public static string RequiredString(JsonElement parent, string name) => OptionalString(parent, name)
        ?? throw new FormatException($"'{name}' is missing");

    /// <summary>The string of that name; null when absent, null or empty.</summary>
    public static string? OptionalString(JsonElement parent, string name)
    {
        if (!parent.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            throw new FormatException($"'{name}' is not a string");
        }

        string text = value.GetString()!;
        return text.Length == 0 ? null : text;
    }

    public static Descriptor ReadDescriptor(JsonElement element, string what)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{what} is not a descriptor");
        }

        string digestText = OptionalString(element, "digest") ?? throw new FormatException($"{what} has no digest");
        if (!Digest.TryParse(digestText, out Digest digest))
        {
            throw new FormatException($"{what} has the digest '{digestText}'; only sha256 digests are supported");
        }

        if (!element.TryGetProperty("size", out JsonElement size) || size.ValueKind != JsonValueKind.Number
            || !size.TryGetInt64(out long bytes) || bytes < 0)
        {
            throw new FormatException($"{what} has no valid size");
        }

        Platform? platform = null;
        if (element.TryGetProperty("platform", out JsonElement p) && p.ValueKind == JsonValueKind.Object)
        {
            platform = new Platform(
                OptionalString(p, "os") ?? string.Empty,
                OptionalString(p, "architecture") ?? string.Empty,
                OptionalString(p, "variant"),
                OptionalString(p, "os.version"));
        }

        Dictionary<string, string>? annotations = null;
        if (element.TryGetProperty("annotations", out JsonElement map) && map.ValueKind == JsonValueKind.Object)
        {
            annotations = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (JsonProperty annotation in map.EnumerateObject())
            {
                annotations[annotation.Name] = annotation.Value.ToString();
            }
        }

        return new Descriptor(OptionalString(element, "mediaType") ?? string.Empty, digest, bytes)
        {
            Platform = platform,
            Annotations = annotations,
        };
    }

    public static List<Descriptor> ReadDescriptors(JsonElement parent, string name)
    {
        if (!parent.TryGetProperty(name, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException($"'{name}' is missing");
        }

        var descriptors = new List<Descriptor>();
        foreach (JsonElement element in list.EnumerateArray())
        {
            descriptors.Add(ReadDescriptor(element, $"'{name}[{descriptors.Count}]'"));
        }

        return descriptors;
    }

    public static byte[] ToBytes(JsonNode node) => Write(writer => node.WriteTo(writer));

    public static byte[] Write(ImageManifest manifest) => Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 2);
        writer.WriteString("mediaType", manifest.MediaType);
        writer.WritePropertyName("config");
        Write(writer, manifest.Config);
        writer.WriteStartArray("layers");
        foreach (Descriptor layer in manifest.Layers)
        {
            Write(writer, layer);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    public static byte[] Write(ImageIndex index) => Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 2);
        writer.WriteString("mediaType", index.MediaType);
        writer.WriteStartArray("manifests");
        foreach (Descriptor manifest in index.Manifests)
        {
            Write(writer, manifest);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            write(writer);
        }

        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, Descriptor descriptor)
    {
        writer.WriteStartObject();
        writer.WriteString("mediaType", descriptor.MediaType);
        writer.WriteNumber("size", descriptor.Size);
        writer.WriteString("digest", descriptor.Digest.ToString());
        if (descriptor.Annotations is { Count: > 0 } annotations)
        {
            writer.WriteStartObject("annotations");
            foreach ((string key, string value) in annotations.OrderBy(a => a.Key, StringComparer.Ordinal))
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
        }

        if (descriptor.Platform is { } platform)
        {
            writer.WriteStartObject("platform");
            writer.WriteString("architecture", platform.Architecture);
            writer.WriteString("os", platform.Os);
            WriteOptional(writer, "os.version", platform.OsVersion);
            WriteOptional(writer, "variant", platform.Variant);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteOptional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    // The parser takes escapes of half a character for text, and fails only when that text is asked for.
    private static void CheckText(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    _ = property.Name;
                    CheckText(property.Value);
                }

                break;

            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                {
                    CheckText(item);
                }

                break;

            case JsonValueKind.String:
                _ = element.GetString();
                break;
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json, JsonValueKind kind, string expected)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, Strict);
            CheckText(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"not valid JSON: {e.Message}", e);
        }

        if (document.RootElement.ValueKind != kind)
        {
            document.Dispose();
            throw new FormatException($"not {expected}");
        }

        return document;
    }
}
