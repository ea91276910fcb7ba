using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>A composite resource, and where its schema keeps what Crossplane itself reads and writes.</summary>
/// <param name="source">The object, which is changed.</param>
/// <param name="schema">Its schema.</param>
internal sealed class CompositeResource(JsonObject source, CompositeSchema schema)
{
    // The API server never gave it one; functions and controllers may look for it.
    private const string ResourceVersion = "999";

    public JsonObject Source { get; } = source;

    public CompositeSchema Schema { get; } = schema;

    public string Name => Source.Name();

    /// <summary>The namespace; empty for a resource that is in none.</summary>
    public string Namespace => Source.Namespace();

    public string Uid => Source.Uid();

    public bool IsNamespaced => Namespace.Length > 0;

    /// <summary>The object with Crossplane's own fields; null when there is none.</summary>
    public JsonObject? Machinery => Schema == CompositeSchema.Legacy ? Source.Child("spec") : Source.Child("spec").Child("crossplane");

    /// <summary>References to composed resources.</summary>
    public IEnumerable<JsonObject> ResourceReferences => (Machinery?["resourceRefs"] as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>Whether the resource says that it is not to be reconciled.</summary>
    public bool IsPaused => Source.Annotation(WellKnown.PausedAnnotation) == "true";

    public bool IsDeleted => Source.Child("metadata")?["deletionTimestamp"] is not null;

    /// <summary>The Secret with the resource's own connection details; null when there is none. Only legacy resources have one.</summary>
    public JsonObject? ConnectionSecret => Schema == CompositeSchema.Legacy ? Source.Child("spec").Child("writeConnectionSecretToRef") : null;

    /// <summary>Makes a composite resource of what the user gave: a copy, with the definition's defaults and what an API server would have set.</summary>
    /// <exception cref="RenderException">The object is not one that an API server would take, or does not fit the definition.</exception>
    public static CompositeResource Prepare(JsonObject given, JsonObject? definition)
    {
        JsonObject source = given.Copy();
        string? fault = source.FindFault()
            ?? (source.Name().Length == 0 ? "it has no metadata.name" : null)
            ?? (source.IsObjectOrAbsent("spec") ? null : "its spec is not an object")
            ?? (source.IsObjectOrAbsent("status") ? null : "its status is not an object");
        if (fault is not null)
        {
            throw new RenderException("CompositeResourceInvalid", FaultKind.InvalidData, $"The composite resource '{source.Name()}' cannot be rendered: {fault}.", given);
        }

        CompositeSchema schema = CompositeDefinition.SelectSchema(source, definition);
        if (definition is not null)
        {
            CompositeDefinition.ApplyDefaults(source, definition, schema);
        }

        if (!source.Child("spec").IsObjectOrAbsent("crossplane") && schema == CompositeSchema.Modern)
        {
            throw new RenderException("CompositeResourceInvalid", FaultKind.InvalidData, $"The composite resource '{source.Name()}' cannot be rendered: its spec.crossplane is not an object.", given);
        }

        JsonObject metadata = source.Ensure("metadata");
        if (source.Uid().Length == 0)
        {
            metadata["uid"] = ResourceNames.Uid(ObjectKind.Of(source), source.Namespace(), source.Name());
        }

        metadata["resourceVersion"] = ResourceVersion;
        return new CompositeResource(source, schema);
    }

    public void SetResourceReferences(IEnumerable<JsonObject> references) =>
        EnsureMachinery()["resourceRefs"] = new JsonArray([.. references]);

    /// <summary>Points to the composition.</summary>
    /// <returns>Whether it pointed elsewhere before.</returns>
    public bool SelectComposition(string composition)
    {
        var reference = new JsonObject { ["name"] = composition };
        bool isNew = !JsonNode.DeepEquals(Machinery?["compositionRef"], reference);
        EnsureMachinery()["compositionRef"] = reference;
        return isNew;
    }

    /// <summary>Sets what the controller takes from the resource itself and from its composition: the label that names are made with, and the connection Secret of a legacy resource.</summary>
    public void Configure(CompositionPipeline composition)
    {
        if (Source.Label(WellKnown.CompositeLabel).Length == 0)
        {
            Source.Ensure("metadata").Ensure("labels")[WellKnown.CompositeLabel] = Name;
        }

        if (Schema == CompositeSchema.Legacy && ConnectionSecret is null && composition.ConnectionSecretNamespace.Length > 0)
        {
            Source.Ensure("spec")["writeConnectionSecretToRef"] = new JsonObject { ["name"] = Uid, ["namespace"] = composition.ConnectionSecretNamespace };
        }
    }

    /// <summary>Sets a condition that is about the resource as it is now.</summary>
    public void MarkCondition(string type, string status, string reason, string message = "") =>
        StatusConditions.Set(Source, StatusConditions.Create(type, status, reason, message, Source.Generation()));

    /// <summary>Says that a condition is for the claim too. Only legacy resources have claims.</summary>
    public void AddClaimConditionType(string type)
    {
        if (Schema != CompositeSchema.Legacy)
        {
            return;
        }

        JsonObject status = Source.Ensure("status");
        if (status["claimConditionTypes"] is not JsonArray types)
        {
            types = [];
            status["claimConditionTypes"] = types;
        }

        if (!types.Any(existing => existing is JsonValue value && value.TryGetValue(out string? text) && text == type))
        {
            types.Add((JsonNode)JsonValue.Create(type));
        }
    }

    private JsonObject EnsureMachinery() => Schema == CompositeSchema.Legacy ? Source.Ensure("spec") : Source.Ensure("spec").Ensure("crossplane");
}
