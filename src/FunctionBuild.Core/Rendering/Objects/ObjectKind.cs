using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Objects;

/// <summary>What kind of object something is.</summary>
/// <param name="Group">The API group; empty for Kubernetes' core.</param>
/// <param name="Version">The version of the API.</param>
/// <param name="Kind">The kind.</param>
internal readonly record struct ObjectKind(string Group, string Version, string Kind)
{
    public static ObjectKind Of(JsonObject source) => Of(source.ApiVersion(), source.Kind());

    public static ObjectKind Of(string apiVersion, string kind)
    {
        int slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new ObjectKind("", apiVersion, kind) : new ObjectKind(apiVersion[..slash], apiVersion[(slash + 1)..], kind);
    }

    /// <summary>As Kubernetes writes it: <c>example.org/v1, Kind=Thing</c>.</summary>
    public override string ToString() => $"{Group}/{Version}, Kind={Kind}";
}
