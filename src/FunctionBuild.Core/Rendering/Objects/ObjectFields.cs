using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Objects;

/// <summary>The fields that every Kubernetes object has, on objects as JSON. What is not there, or is null, reads as empty.</summary>
internal static class ObjectFields
{
    public static string ApiVersion(this JsonObject source) => source.Text("apiVersion");

    public static string Kind(this JsonObject source) => source.Text("kind");

    public static string Name(this JsonObject source) => source.Child("metadata").Text("name");

    public static string Namespace(this JsonObject source) => source.Child("metadata").Text("namespace");

    public static string Uid(this JsonObject source) => source.Child("metadata").Text("uid");

    public static string Label(this JsonObject source, string key) => source.Child("metadata")?.Child("labels").Text(key) ?? "";

    public static string Annotation(this JsonObject source, string key) => source.Child("metadata")?.Child("annotations").Text(key) ?? "";

    /// <summary>The number of the object's version of its specification; 0 when it has none.</summary>
    public static long Generation(this JsonObject source) =>
        source.Child("metadata")?["generation"] is { } number
        && number.GetValueKind() == JsonValueKind.Number
        && decimal.TryParse(number.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal generation)
        && generation is >= 0 and <= long.MaxValue
            ? (long)generation
            : 0;

    /// <summary>The owner that manages the object; null when there is none.</summary>
    public static JsonObject? Controller(this JsonObject source) =>
        source.Child("metadata")?["ownerReferences"] is JsonArray owners
            ? owners.OfType<JsonObject>().FirstOrDefault(owner => owner["controller"]?.GetValueKind() == JsonValueKind.True)
            : null;

    /// <summary>A field's text; empty when it is no text.</summary>
    public static string Text(this JsonObject? source, string field) =>
        source?[field] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    /// <summary>A field's object; null when it is no object.</summary>
    public static JsonObject? Child(this JsonObject? source, string field) => source?[field] as JsonObject;

    /// <summary>A field's object, made when there is none.</summary>
    public static JsonObject Ensure(this JsonObject source, string field)
    {
        if (source[field] is not JsonObject child)
        {
            child = [];
            source[field] = child;
        }

        return child;
    }

    /// <summary>Sets a field, or takes it away when the text is empty.</summary>
    public static void SetText(this JsonObject source, string field, string value)
    {
        if (value.Length == 0)
        {
            source.Remove(field);
        }
        else
        {
            source[field] = value;
        }
    }

    /// <summary>A copy that belongs to nobody.</summary>
    public static JsonObject Copy(this JsonObject source) => (JsonObject)source.DeepClone();

    /// <summary>Whether a field is absent, null or an object.</summary>
    public static bool IsObjectOrAbsent(this JsonObject? source, string field) => source?[field] is null or JsonObject;

    /// <summary>What keeps this from being a Kubernetes object that can be worked with; null when nothing does. A name is not asked for.</summary>
    public static string? FindFault(this JsonObject source)
    {
        if (source.ApiVersion().Length == 0)
        {
            return "it has no apiVersion";
        }

        if (source.Kind().Length == 0)
        {
            return "it has no kind";
        }

        if (!source.IsObjectOrAbsent("metadata"))
        {
            return "its metadata is not an object";
        }

        JsonObject? metadata = source.Child("metadata");
        string? notText = Metadata.FirstOrDefault(field => metadata?[field] is { } value && value.GetValueKind() != JsonValueKind.String);
        if (notText is not null)
        {
            return $"its metadata.{notText} is not a text";
        }

        foreach (string field in TextMaps)
        {
            if (!metadata.IsObjectOrAbsent(field) || metadata.Child(field)?.Any(entry => entry.Value?.GetValueKind() != JsonValueKind.String) == true)
            {
                return $"its metadata.{field} is not a map of texts";
            }
        }

        return metadata?["ownerReferences"] is null || (metadata["ownerReferences"] is JsonArray owners && owners.All(owner => owner is JsonObject))
            ? null
            : "its metadata.ownerReferences is not a list of objects";
    }

    private static readonly string[] Metadata = ["name", "generateName", "namespace", "uid"];
    private static readonly string[] TextMaps = ["labels", "annotations"];
}
