using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// The schemas of the kinds that a cluster would know, from OpenAPI v3 documents, and what functions asked for of them.
/// For one thread at a time.
/// </summary>
/// <param name="documents">OpenAPI v3 documents as the API server has them at <c>/openapi/v3/…</c>; what has no schemas is passed over.</param>
internal sealed class RequiredSchemaStore(params IEnumerable<JsonObject> documents)
{
    private const string KindsField = "x-kubernetes-group-version-kind";

    private readonly IReadOnlyList<JsonObject> _documents = [.. documents];
    private readonly RequestedSelectors _requested = new();

    /// <summary>The selectors that were asked for, each once, in the order in which they first were.</summary>
    public IReadOnlyList<JsonObject> Requested => _requested.Items;

    /// <summary>
    /// Fetches the schema of a kind: the first whose <c>x-kubernetes-group-version-kind</c> is this kind and no other
    /// (those that kinds share, such as <c>DeleteOptions</c>, are nobody's), with the schemas that it refers to in place of
    /// the references. An empty schema when no document has it.
    /// </summary>
    /// <exception cref="FunctionBuildException">The API version is not one (<c>ApiVersionInvalid</c>), or a reference leads nowhere (<c>SchemaReferenceNotFound</c>).</exception>
    public Schema Fetch(SchemaSelector selector)
    {
        _requested.Add(selector);
        if (!ApiVersion.TryParse(selector.ApiVersion, out ApiVersion? version))
        {
            throw new FunctionBuildException(
                "ApiVersionInvalid",
                FaultKind.InvalidData,
                $"The API version '{selector.ApiVersion}' of a required schema is neither a version, such as v1, nor a group and a version, such as apps/v1.",
                selector.ApiVersion);
        }

        foreach (JsonObject document in _documents)
        {
            if ((document["components"] as JsonObject)?["schemas"] is JsonObject schemas
                && schemas.FirstOrDefault(schema => IsOf(schema.Value, version, selector.Kind)).Key is { } name)
            {
                return new Schema { OpenapiV3 = StructConverter.ToStruct(new SchemaFlattener(schemas).Flatten(name)) };
            }
        }

        return new Schema();
    }

    private static bool IsOf(JsonNode? schema, ApiVersion version, string kind) =>
        (schema as JsonObject)?[KindsField] is JsonArray { Count: 1 } kinds
        && kinds[0] is JsonObject only
        && Text(only["group"]) == version.Group
        && Text(only["version"]) == version.Version
        && Text(only["kind"]) == kind;

    private static string Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : string.Empty;
}
