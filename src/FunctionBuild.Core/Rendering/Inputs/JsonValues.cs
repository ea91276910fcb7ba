using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>JSON as Kubernetes reads it: a number is a 64-bit integer when it is written as one, and else a double.</summary>
internal static class JsonValues
{
    /// <summary>The node that an element stands for; it does not need the element's document any more.</summary>
    public static JsonNode? FromElement(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => new JsonObject(element.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, FromElement(p.Value)))),
        JsonValueKind.Array => new JsonArray([.. element.EnumerateArray().Select(FromElement)]),
        JsonValueKind.String => JsonValue.Create(element.GetString()),
        JsonValueKind.Number => element.TryGetInt64(out long integer) ? JsonValue.Create(integer) : JsonValue.Create(element.GetDouble()),
        JsonValueKind.True => JsonValue.Create(true),
        JsonValueKind.False => JsonValue.Create(false),
        _ => null,
    };
}
