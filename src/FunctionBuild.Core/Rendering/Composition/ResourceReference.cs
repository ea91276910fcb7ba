using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>The entries of a composite resource's <c>resourceRefs</c>.</summary>
internal static class ResourceReference
{
    /// <summary>A reference to a composed resource.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="isCompositeNamespaced">Whether the composite resource is in a namespace: its resources are in the same, which goes without saying.</param>
    /// <param name="withUid">Whether the resource's UID, if it has one, is a part of the reference.</param>
    public static JsonObject Create(JsonObject resource, bool isCompositeNamespaced, bool withUid)
    {
        var reference = new JsonObject { ["apiVersion"] = resource.ApiVersion(), ["kind"] = resource.Kind() };
        reference.SetText("name", resource.Name());
        reference.SetText("namespace", isCompositeNamespaced ? "" : resource.Namespace());
        reference.SetText("uid", withUid ? resource.Uid() : "");
        return reference;
    }

    /// <summary>The references in the order in which the controller writes them.</summary>
    public static IEnumerable<JsonObject> Sort(IEnumerable<JsonObject> references) =>
        references.OrderBy(
            reference => reference.Text("apiVersion") + reference.Text("kind") + reference.Text("name") + reference.Text("namespace"),
            StringComparer.Ordinal);
}
