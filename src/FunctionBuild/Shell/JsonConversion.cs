using System.Collections;
using System.Collections.Specialized;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Internal;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core;

namespace FunctionBuild.Shell;

/// <summary>
/// Objects of the shell as JSON, and back: hashtables and custom objects, such as ConvertFrom-Json gives, are mappings,
/// whatever can be enumerated is a list.
/// </summary>
internal static class JsonConversion
{
    private const int MaximumDepth = 200;

    /// <summary>A value as JSON.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>UnsupportedValue</c>.</exception>
    public static JsonNode? ToJson(object? value, string name) => ToJson(value, name, 0);

    /// <summary>
    /// JSON as objects whose fields are properties: lists as arrays, integers as 64-bit ones, fractions as doubles. A mapping with
    /// keys that differ only by case, or with an empty one, is a dictionary, for properties can't be named so.
    /// </summary>
    public static object? FromJson(JsonNode? node) => node switch
    {
        null => null,
        JsonArray list => list.Select(FromJson).ToArray(),
        JsonObject mapping when CanBeProperties(mapping) => ToProperties(mapping),
        JsonObject mapping => ToDictionary(mapping),
        _ => FromValue(node.AsValue()),
    };

    private static JsonNode? ToJson(object? value, string name, int depth)
    {
        if (depth > MaximumDepth)
        {
            throw Unsupported(name, $"objects are more than {MaximumDepth} deep, or one contains itself");
        }

        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        return plain switch
        {
            null => null,
            _ when ReferenceEquals(value, AutomationNull.Value) => null,
            JsonNode node => node.DeepClone(),
            string text => JsonValue.Create(text),
            char text => JsonValue.Create(text.ToString()),
            bool flag => JsonValue.Create(flag),
            SwitchParameter flag => JsonValue.Create(flag.IsPresent),
            Enum member => JsonValue.Create(member.ToString()),
            sbyte or byte or short or ushort or int or uint or long => JsonValue.Create(Convert.ToInt64(plain, CultureInfo.InvariantCulture)),
            ulong or BigInteger => ToInteger((BigInteger)Convert.ChangeType(plain is ulong u ? new BigInteger(u) : plain, typeof(BigInteger), CultureInfo.InvariantCulture)),
            double or float or decimal => ToNumber(Convert.ToDouble(plain, CultureInfo.InvariantCulture), name),
            DateTime time => JsonValue.Create(time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture)),
            DateTimeOffset time => JsonValue.Create(time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture)),
            Guid or Uri or Version => JsonValue.Create(plain.ToString()),
            IDictionary mapping => ToMapping(mapping, name, depth),
            PSCustomObject => ToMapping(PSObject.AsPSObject(value), name, depth),
            IEnumerable list => new JsonArray([.. list.Cast<object?>().Select(i => ToJson(i, name, depth + 1))]),
            _ => throw Unsupported(name, $"a value is of the type {plain.GetType().FullName}"),
        };
    }

    private static JsonValue ToInteger(BigInteger integer) =>
        integer >= long.MinValue && integer <= long.MaxValue ? JsonValue.Create((long)integer) : JsonValue.Create((double)integer);

    private static JsonValue ToNumber(double number, string name) =>
        double.IsFinite(number) ? JsonValue.Create(number) : throw Unsupported(name, $"a number is {number.ToString(CultureInfo.InvariantCulture)}");

    private static JsonObject ToMapping(IDictionary source, string name, int depth)
    {
        var mapping = new JsonObject();
        foreach (DictionaryEntry entry in source)
        {
            string key = LanguagePrimitives.ConvertTo<string>(entry.Key);
            if (!mapping.TryAdd(key, ToJson(entry.Value, name, depth + 1)))
            {
                throw Unsupported(name, $"two keys are '{key}'");
            }
        }

        return mapping;
    }

    private static JsonObject ToMapping(PSObject source, string name, int depth)
    {
        var mapping = new JsonObject();
        foreach (PSPropertyInfo property in source.Properties)
        {
            if (property.MemberType == PSMemberTypes.NoteProperty)
            {
                mapping[property.Name] = ToJson(property.Value, name, depth + 1);
            }
        }

        return mapping;
    }

    private static bool CanBeProperties(JsonObject mapping)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return mapping.All(p => p.Key.Length > 0 && names.Add(p.Key));
    }

    private static PSObject ToProperties(JsonObject mapping)
    {
        var properties = new PSObject();
        foreach ((string key, JsonNode? value) in mapping)
        {
            properties.Properties.Add(new PSNoteProperty(key, FromJson(value)));
        }

        return properties;
    }

    private static OrderedDictionary ToDictionary(JsonObject mapping)
    {
        var dictionary = new OrderedDictionary(StringComparer.Ordinal);
        foreach ((string key, JsonNode? value) in mapping)
        {
            dictionary.Add(key, FromJson(value));
        }

        return dictionary;
    }

    private static object? FromValue(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.Deserialize<string>(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer)
            ? (object)integer
            : double.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static FunctionBuildException Unsupported(string name, string problem) =>
        new("UnsupportedValue", FaultKind.InvalidArgument, $"{name}: {problem}, which JSON cannot hold. Give hashtables or custom objects of texts, numbers, booleans and lists.", name);
}
