using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// The objects that a cluster would have, in memory, and what functions asked for of them. An object is one by API
/// version, kind, namespace and name; a later one replaces an earlier. For one thread at a time.
/// </summary>
internal sealed class RequiredResourceStore
{
    private const string ListSuffix = "List";

    private readonly OrderedDictionary<Key, JsonObject> _objects = [];
    private readonly RequestedSelectors _requested = new();

    /// <summary>Creates a store.</summary>
    /// <param name="objects">What is in it; not copied.</param>
    public RequiredResourceStore(params IEnumerable<JsonObject> objects)
    {
        foreach (JsonObject item in objects)
        {
            Put(item);
        }
    }

    /// <summary>The selectors that were asked for, each once, in the order in which they first were.</summary>
    public IReadOnlyList<JsonObject> Requested => _requested.Items;

    /// <summary>A store with all that a render knows of: the composite resource, what is observed, what functions may require, and secrets.</summary>
    /// <param name="request">The request.</param>
    /// <param name="composite">The composite resource as the controller would have it; not the request's, which may lack a UID.</param>
    public static RequiredResourceStore For(RenderRequest request, JsonObject composite) =>
        new([composite, .. request.ObservedResources, .. request.RequiredResources, .. request.Credentials.Select(AsSecret)]);

    /// <summary>Adds an object, or replaces the one with its API version, kind, namespace and name. It is not copied.</summary>
    public void Put(JsonObject item) => _objects[KeyOf(item)] = item;

    /// <summary>Finds an object; null when there is none. This keeps no record.</summary>
    /// <param name="apiVersion">Its API version.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="space">Its namespace; empty for an object of the cluster.</param>
    /// <param name="name">Its name.</param>
    public JsonObject? Find(string apiVersion, string kind, string space, string name) =>
        ApiVersion.TryParse(apiVersion, out ApiVersion? version)
            ? _objects.GetValueOrDefault(new Key(version, kind, space, name))
            : null;

    /// <summary>
    /// Fetches what a function requires. By name: the object of exactly this namespace (none: of the cluster). Otherwise
    /// all objects with the labels, all there are without labels, of one namespace or, without one, of all; ordered by
    /// namespace and name. Nothing found is an empty list: the controller tells an object that is not there (no list) from
    /// a list without objects, but on the wire they are the same.
    /// </summary>
    public Resources Fetch(ResourceSelector selector)
    {
        _requested.Add(selector);
        IEnumerable<JsonObject> found = selector.MatchCase == ResourceSelector.MatchOneofCase.MatchName
            ? Find(selector.ApiVersion, selector.Kind, selector.Namespace, selector.MatchName) is { } one ? [one] : []
            : List(selector);
        var result = new Resources();
        result.Items.AddRange(found.Select(item => new Resource { Resource_ = StructConverter.ToStruct(item) }));
        return result;
    }

    private IEnumerable<JsonObject> List(ResourceSelector selector)
    {
        if (!ApiVersion.TryParse(selector.ApiVersion, out ApiVersion? version))
        {
            return [];
        }

        // A list's kind is FooList, and the controller's client takes the suffix off, whoever put it there.
        string kind = selector.Kind.Length > ListSuffix.Length && selector.Kind.EndsWith(ListSuffix, StringComparison.Ordinal)
            ? selector.Kind[..^ListSuffix.Length]
            : selector.Kind;
        return _objects
            .Where(entry => entry.Key.Version.Group == version.Group
                && entry.Key.Kind == kind
                && (version.Version.Length == 0 || entry.Key.Version.Version.Length == 0 || entry.Key.Version.Version == version.Version)
                && (selector.Namespace.Length == 0 || entry.Key.Namespace == selector.Namespace)
                && HasLabels(entry.Value, selector.MatchLabels))
            .OrderBy(entry => $"{entry.Key.Namespace}/{entry.Key.Name}", StringComparer.Ordinal)
            .Select(entry => entry.Value);
    }

    private static bool HasLabels(JsonObject item, MatchLabels? wanted)
    {
        if (wanted is null || wanted.Labels.Count == 0)
        {
            return true;
        }

        var labels = (item["metadata"] as JsonObject)?["labels"] as JsonObject;
        return labels is not null && wanted.Labels.All(label => labels.ContainsKey(label.Key) && Text(labels[label.Key]) == label.Value);
    }

    private static JsonObject AsSecret(JsonObject credential)
    {
        if (Text(credential["kind"]) is { Length: > 0 })
        {
            return credential;
        }

        var secret = (JsonObject)credential.DeepClone();
        secret["apiVersion"] = "v1";
        secret["kind"] = "Secret";
        return secret;
    }

    private static Key KeyOf(JsonObject item)
    {
        var metadata = item["metadata"] as JsonObject;
        ApiVersion version = ApiVersion.TryParse(Text(item["apiVersion"]) ?? string.Empty, out ApiVersion? parsed) ? parsed : ApiVersion.None;
        return new Key(version, Text(item["kind"]) ?? string.Empty, Text(metadata?["namespace"]) ?? string.Empty, Text(metadata?["name"]) ?? string.Empty);
    }

    private static string? Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    private sealed record Key(ApiVersion Version, string Kind, string Namespace, string Name);
}
