using System.Collections;
using System.Security.Cryptography;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// The tag by which a request is known (<c>meta.tag</c>): equal requests have equal tags, on any machine. It is the SHA-256
/// of the request's bytes with the entries of every map ordered by key, which is what Go's deterministic encoding writes
/// too, so that an equal request has the controller's tag. The one exception are entries of maps with an empty key or an
/// empty value, for example connection details of no bytes: this encoder leaves out what is empty. Protobuf promises no
/// encoding that stays the same from release to release, so neither tag is for keeping.
/// </summary>
internal static class RequestTag
{
    /// <summary>The tag of a request, 64 hexadecimal digits.</summary>
    public static string Of(RunFunctionRequest request)
    {
        RunFunctionRequest ordered = request.Clone();
        OrderMaps(ordered);
        return Convert.ToHexStringLower(SHA256.HashData(ordered.ToByteArray()));
    }

    private static void OrderMaps(IMessage message)
    {
        foreach (FieldDescriptor field in message.Descriptor.Fields.InDeclarationOrder())
        {
            object? value = field.Accessor.GetValue(message);
            if (field.IsMap)
            {
                OrderMap((IDictionary)value);
            }
            else if (field.FieldType == FieldType.Message && value is not null)
            {
                IEnumerable<IMessage> nested = field.IsRepeated ? ((IEnumerable)value).Cast<IMessage>() : [(IMessage)value];
                foreach (IMessage item in nested)
                {
                    OrderMaps(item);
                }
            }
        }
    }

    // A map field writes its entries in the order in which they were added.
    private static void OrderMap(IDictionary map)
    {
        var entries = new List<(string Key, object Value)>(map.Count);
        foreach (DictionaryEntry entry in map)
        {
            entries.Add(((string)entry.Key, entry.Value!));
        }

        map.Clear();
        foreach ((string key, object value) in entries.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (value is IMessage message)
            {
                OrderMaps(message);
            }

            map.Add(key, value);
        }
    }
}
