using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>What a CompositeResourceDefinition says about a composite resource: where Crossplane's own fields are, and which values are the default.</summary>
internal static class CompositeDefinition
{
    private const string ApiGroup = "apiextensions.crossplane.io/";

    // What Crossplane writes into every definition's schema, over what its author has there.
    private static readonly string[] ModernSpec = ["crossplane"];
    private static readonly string[] ModernStatus = ["conditions"];
    private static readonly string[] LegacyStatus = [.. ModernStatus, "connectionDetails", "claimConditionTypes"];
    private static readonly string[] LegacySpec =
    [
        "claimRef", "compositionRef", "compositionRevisionRef", "compositionRevisionSelector", "compositionSelector",
        "compositionUpdatePolicy", "resourceRefs", "writeConnectionSecretToRef",
    ];

    /// <summary>
    /// The schema that a definition stands for. Version 1 without a scope is legacy. Version 2 knows no legacy scope, but
    /// the API server stores both versions as one, so that a legacy definition may be read as version 2.
    /// </summary>
    /// <exception cref="RenderException">It is no definition, or one of another resource.</exception>
    public static CompositeSchema SelectSchema(JsonObject compositeResource, JsonObject? definition)
    {
        if (definition is null)
        {
            return CompositeSchema.Modern;
        }

        string version = definition.ApiVersion();
        if (version is not (ApiGroup + "v1" or ApiGroup + "v2") || definition.Kind() is not ("" or "CompositeResourceDefinition"))
        {
            throw Invalid($"is a {definition.Kind()} of '{version}'; a CompositeResourceDefinition of '{ApiGroup}v1' or '{ApiGroup}v2' was expected");
        }

        JsonObject? spec = definition.Child("spec");
        string group = spec.Text("group");
        string kind = spec.Child("names").Text("kind");
        ObjectKind composite = ObjectKind.Of(compositeResource);
        if (group != composite.Group || kind != composite.Kind)
        {
            throw new RenderException(
                "DefinitionMismatch",
                FaultKind.InvalidArgument,
                $"CompositeResourceDefinition '{definition.Name()}' defines {kind} of group '{group}', but the composite resource is {composite.Kind} of group '{composite.Group}'. Give the definition of the composite resource.",
                definition);
        }

        string scope = spec.Text("scope");
        bool legacy = scope == "LegacyCluster" || (scope.Length == 0 && version == ApiGroup + "v1");
        return legacy ? CompositeSchema.Legacy : CompositeSchema.Modern;

        RenderException Invalid(string problem) =>
            new("DefinitionInvalid", FaultKind.InvalidData, $"Composite resource definition '{definition.Name()}' {problem}.", definition);
    }

    /// <summary>Sets the defaults of the definition's schema on a composite resource, as the API server does when it reads one.</summary>
    /// <exception cref="RenderException">The definition has no such version.</exception>
    public static void ApplyDefaults(JsonObject compositeResource, JsonObject definition, CompositeSchema schema)
    {
        string wanted = ObjectKind.Of(compositeResource).Version;
        JsonObject? spec = definition.Child("spec");
        JsonObject[] versions = [.. (spec?["versions"] as JsonArray ?? []).OfType<JsonObject>()];
        JsonObject version = versions.FirstOrDefault(version => version.Text("name") == wanted)
            ?? throw new RenderException(
                "DefinitionMismatch",
                FaultKind.InvalidArgument,
                $"CompositeResourceDefinition '{definition.Name()}' has no version '{wanted}', which is the composite resource's; it has: {string.Join(", ", versions.Select(version => version.Text("name")))}.",
                definition);

        // Only the fields of spec and status reach the API server, without Crossplane's own; metadata are Kubernetes'.
        JsonObject? properties = version.Child("schema").Child("openAPIV3Schema").Child("properties");
        bool legacy = schema == CompositeSchema.Legacy;
        Apply("spec", legacy ? LegacySpec : ModernSpec);
        Apply("status", legacy ? LegacyStatus : ModernStatus);

        JsonObject? machinery = legacy ? compositeResource.Child("spec") : compositeResource.Child("spec").Child("crossplane");
        string policy = spec.Text("defaultCompositionUpdatePolicy");
        if (machinery is not null && policy.Length > 0 && machinery["compositionUpdatePolicy"] is null)
        {
            machinery["compositionUpdatePolicy"] = policy;
        }

        void Apply(string part, string[] own)
        {
            if (compositeResource.Child(part) is { } value && properties.Child(part).Child("properties") is { } fields)
            {
                IEnumerable<KeyValuePair<string, JsonNode?>> theirs = fields
                    .Where(field => !own.Contains(field.Key))
                    .Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone()));
                SchemaDefaults.Apply(value, new JsonObject { ["properties"] = new JsonObject(theirs) });
            }
        }
    }
}
