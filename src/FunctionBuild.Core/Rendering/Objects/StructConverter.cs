using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Rendering.Objects;

/// <summary>
/// Kubernetes objects between JSON and the function protocol's <see cref="Struct"/>, as Go's <c>structpb</c> and
/// <c>encoding/json</c> make them. A struct has one kind of number, IEEE 754 double: a larger integer than 2^53 loses its
/// last digits on the way, in the controller too.
/// </summary>
internal static class StructConverter
{
    /// <summary>How many objects and lists may be in one another. The API server takes more, but no object that people write comes near.</summary>
    public const int MaxDepth = 256;

    // From here on Go writes an exponent, and so does everyone after it.
    private const double FirstExponent = 1e21;

    /// <summary>An object as a struct, its fields in the object's order.</summary>
    /// <exception cref="FunctionBuildException">Objects and lists are more than <see cref="MaxDepth"/> deep (<c>ObjectTooDeep</c>).</exception>
    public static Struct ToStruct(JsonObject source) => ToStruct(source, 1);

    /// <summary>
    /// A struct as an object, its fields ordered by name, since a struct's order on the wire is by chance. A number
    /// without fraction below 10^21 becomes an integer, with the shortest digits that stand for it; one that JSON does not
    /// know becomes the text <c>NaN</c>, <c>Infinity</c> or <c>-Infinity</c>.
    /// </summary>
    /// <exception cref="FunctionBuildException">Objects and lists are more than <see cref="MaxDepth"/> deep (<c>ObjectTooDeep</c>).</exception>
    public static JsonObject ToObject(Struct source) => ToObject(source, 1);

    private static Struct ToStruct(JsonObject source, int depth)
    {
        CheckDepth(depth);
        var result = new Struct();
        foreach ((string name, JsonNode? value) in source)
        {
            result.Fields[name] = ToValue(value, depth);
        }

        return result;
    }

    private static Value ToValue(JsonNode? node, int depth) => node switch
    {
        null => Value.ForNull(),
        JsonObject nested => Value.ForStruct(ToStruct(nested, depth + 1)),
        JsonArray list => new Value { ListValue = ToList(list, depth + 1) },
        _ => node.GetValueKind() switch
        {
            JsonValueKind.Null => Value.ForNull(),
            JsonValueKind.True => Value.ForBool(true),
            JsonValueKind.False => Value.ForBool(false),
            JsonValueKind.String => Value.ForString(TextOf(node)),
            _ => Value.ForNumber(NumberOf(node)),
        },
    };

    private static ListValue ToList(JsonArray source, int depth)
    {
        CheckDepth(depth);
        var result = new ListValue();
        foreach (JsonNode? item in source)
        {
            result.Values.Add(ToValue(item, depth));
        }

        return result;
    }

    // A value may hold a string, or something that JSON writes as one: a date, a GUID, a char.
    private static string TextOf(JsonNode node) =>
        node.AsValue().TryGetValue(out string? text) ? text : node.Deserialize<string>()!;

    // Whatever type of number a value holds, its JSON is what it stands for.
    private static double NumberOf(JsonNode node) =>
        node.AsValue().TryGetValue(out double number) ? number : double.Parse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    private static JsonObject ToObject(Struct source, int depth)
    {
        CheckDepth(depth);
        var result = new JsonObject();
        foreach ((string name, Value value) in source.Fields.OrderBy(field => field.Key, StringComparer.Ordinal))
        {
            result.Add(name, ToNode(value, depth));
        }

        return result;
    }

    private static JsonNode? ToNode(Value value, int depth) => value.KindCase switch
    {
        Value.KindOneofCase.BoolValue => JsonValue.Create(value.BoolValue),
        Value.KindOneofCase.NumberValue => ToNumber(value.NumberValue),
        Value.KindOneofCase.StringValue => JsonValue.Create(value.StringValue),
        Value.KindOneofCase.StructValue => ToObject(value.StructValue, depth + 1),
        Value.KindOneofCase.ListValue => ToArray(value.ListValue, depth + 1),
        _ => null,
    };

    private static JsonArray ToArray(ListValue source, int depth)
    {
        CheckDepth(depth);
        return [.. source.Values.Select(item => ToNode(item, depth))];
    }

    private static JsonValue ToNumber(double number)
    {
        if (!double.IsFinite(number))
        {
            return JsonValue.Create(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        }

        if (Math.Abs(number) >= FirstExponent || number != Math.Truncate(number))
        {
            return JsonValue.Create(number);
        }

        // Through the shortest text: 2^60 is 1152921504606846976, but Go writes 1152921504606847000.
        decimal digits = decimal.Parse(number.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture);
        return digits is >= long.MinValue and <= long.MaxValue ? JsonValue.Create((long)digits) : JsonValue.Create(digits);
    }

    private static void CheckDepth(int depth)
    {
        if (depth > MaxDepth)
        {
            throw new FunctionBuildException(
                "ObjectTooDeep",
                FaultKind.LimitExceeded,
                $"An object has objects and lists more than {MaxDepth} deep, which is more than a function can be given or may return. Make it flatter.");
        }
    }
}
