using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

/// <summary>Objects for tests.</summary>
internal static class Json
{
    public static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;

    /// <summary>A Kubernetes object; <paramref name="labels"/> are <c>key=value</c>.</summary>
    public static JsonObject Item(string apiVersion, string kind, string? space, string name, params string[] labels)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (space is not null)
        {
            metadata["namespace"] = space;
        }

        if (labels.Length > 0)
        {
            metadata["labels"] = new JsonObject(labels.Select(label => label.Split('=')).Select(pair => KeyValuePair.Create(pair[0], (JsonNode?)pair[1])));
        }

        return new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind, ["metadata"] = metadata };
    }

    /// <summary>The objects in a list of resources, as <c>namespace/name</c>.</summary>
    public static IReadOnlyList<string> Names(Resources resources) =>
        [.. resources.Items.Select(item => StructConverter.ToObject(item.Resource_)["metadata"]!).Select(m => $"{m["namespace"]}/{m["name"]}")];
}
