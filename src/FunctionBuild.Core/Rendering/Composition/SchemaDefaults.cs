using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Default values of an OpenAPI schema, by Kubernetes' rules for structural schemas: what is absent, or null where null is not allowed, gets its default; then so does what is inside.</summary>
internal static class SchemaDefaults
{
    public static void Apply(JsonNode? value, JsonObject schema)
    {
        switch (value)
        {
            case JsonObject source:
                ApplyToFields(source, schema);
                break;
            case JsonArray list when schema.Child("items") is { } items:
                for (int index = 0; index < list.Count; index++)
                {
                    if (Replaces(list[index], items))
                    {
                        list[index] = items["default"]!.DeepClone();
                    }

                    Apply(list[index], items);
                }

                break;
        }
    }

    private static void ApplyToFields(JsonObject source, JsonObject schema)
    {
        JsonObject? properties = schema.Child("properties");
        foreach ((string name, JsonNode? property) in properties ?? [])
        {
            if (property is JsonObject field && field["default"] is { } given && (!source.ContainsKey(name) || Replaces(source[name], field)))
            {
                source[name] = given.DeepClone();
            }
        }

        JsonObject? others = schema.Child("additionalProperties");
        foreach (string name in source.Select(field => field.Key).ToArray())
        {
            if (properties.Child(name) is { } field)
            {
                Apply(source[name], field);
            }
            else if (others is not null && properties?.ContainsKey(name) != true)
            {
                if (Replaces(source[name], others))
                {
                    source[name] = others["default"]!.DeepClone();
                }

                Apply(source[name], others);
            }
        }
    }

    // A default of null is none.
    private static bool Replaces(JsonNode? value, JsonObject schema) =>
        value is null && schema["default"] is not null && schema["nullable"]?.GetValueKind() != JsonValueKind.True;
}
