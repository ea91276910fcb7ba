using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>The selectors of a pipeline step's <c>requirements</c>, which a composition spells otherwise than the protocol.</summary>
internal static class Selectors
{
    /// <summary>
    /// An entry of <c>requirements.requiredResources</c>: <c>apiVersion</c>, <c>kind</c>, perhaps <c>namespace</c>, and
    /// <c>name</c> or <c>matchLabels</c>, of which the name wins. Without either, or with no labels, it selects all of its kind.
    /// </summary>
    public static ResourceSelector OfResource(JsonObject requirement)
    {
        var selector = new ResourceSelector { ApiVersion = Text(requirement, "apiVersion") ?? string.Empty, Kind = Text(requirement, "kind") ?? string.Empty };
        if (Text(requirement, "namespace") is { } space)
        {
            selector.Namespace = space;
        }

        if (Text(requirement, "name") is { } name)
        {
            selector.MatchName = name;
        }
        else if (requirement["matchLabels"] is JsonObject labels)
        {
            selector.MatchLabels = new MatchLabels();
            foreach ((string key, _) in labels)
            {
                selector.MatchLabels.Labels[key] = Text(labels, key) ?? string.Empty;
            }
        }

        return selector;
    }

    /// <summary>An entry of <c>requirements.requiredSchemas</c>: <c>apiVersion</c> and <c>kind</c>.</summary>
    public static SchemaSelector OfSchema(JsonObject requirement) =>
        new() { ApiVersion = Text(requirement, "apiVersion") ?? string.Empty, Kind = Text(requirement, "kind") ?? string.Empty };

    private static string? Text(JsonObject source, string name) =>
        source[name] is { } node && node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
}
