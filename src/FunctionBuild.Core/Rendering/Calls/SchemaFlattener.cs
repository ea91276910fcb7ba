using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// Puts schemas in the place of references to them, as the API server's resolver does: in properties, items and
/// additional properties. A reference takes the place of everything beside it, also one that is wrapped in
/// <c>allOf</c> to have a description. What refers back to itself becomes a plain object.
/// </summary>
/// <param name="schemas">The schemas of an OpenAPI v3 document (<c>components.schemas</c>), by name.</param>
internal sealed class SchemaFlattener(JsonObject schemas)
{
    private const string Prefix = "#/components/schemas/";

    // The references that the schema at hand is inside of.
    private readonly HashSet<string> _open = [];

    /// <summary>A schema without references; a copy.</summary>
    /// <exception cref="FunctionBuildException">A reference leads nowhere (<c>SchemaReferenceNotFound</c>).</exception>
    public JsonObject Flatten(string name)
    {
        _open.Clear();
        _open.Add(Prefix + name);
        return Flatten(Resolve(Prefix + name));
    }

    private JsonObject Flatten(JsonObject schema)
    {
        if (ReferenceOf(schema) is not { } reference)
        {
            return FlattenParts(schema);
        }

        if (!_open.Add(reference))
        {
            return new JsonObject { ["type"] = "object" };
        }

        JsonObject flat = FlattenParts(Resolve(reference));
        _open.Remove(reference);
        return flat;
    }

    private JsonObject FlattenParts(JsonObject schema)
    {
        var flat = new JsonObject();
        foreach ((string name, JsonNode? part) in schema)
        {
            flat[name] = (name, part) switch
            {
                ("properties", JsonObject properties) => FlattenProperties(properties),
                ("items" or "additionalProperties", JsonObject nested) => Flatten(nested),
                _ => part?.DeepClone(),
            };
        }

        return flat;
    }

    private JsonObject FlattenProperties(JsonObject properties)
    {
        var flat = new JsonObject();
        foreach ((string name, JsonNode? property) in properties)
        {
            flat[name] = property is JsonObject schema ? Flatten(schema) : property?.DeepClone();
        }

        return flat;
    }

    private static string? ReferenceOf(JsonObject schema)
    {
        if (schema["$ref"] is { } reference && reference.GetValueKind() == JsonValueKind.String)
        {
            return reference.GetValue<string>();
        }

        return (schema["allOf"] as JsonArray)?.OfType<JsonObject>().Select(ReferenceOf).FirstOrDefault(found => found is not null);
    }

    private JsonObject Resolve(string reference)
    {
        string name = reference.StartsWith(Prefix, StringComparison.Ordinal) ? reference[Prefix.Length..] : reference;
        return schemas[name] as JsonObject ?? throw new FunctionBuildException(
            "SchemaReferenceNotFound",
            FaultKind.InvalidData,
            $"An OpenAPI document refers to the schema '{reference}', which it does not have. Pass the whole document as the API server has it.",
            reference);
    }
}
