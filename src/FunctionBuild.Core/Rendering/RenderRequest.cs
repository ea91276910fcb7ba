using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering;

/// <summary>What is rendered: a composite resource, its composition, and what a cluster would know besides. Objects are Kubernetes objects as JSON.</summary>
public sealed record RenderRequest
{
    /// <summary>The composite resource.</summary>
    public required JsonObject CompositeResource { get; init; }

    /// <summary>The composition; its mode is <c>Pipeline</c>.</summary>
    public required JsonObject Composition { get; init; }

    /// <summary>Composed resources that exist already.</summary>
    public IReadOnlyList<JsonObject> ObservedResources { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>Resources that functions may require.</summary>
    public IReadOnlyList<JsonObject> RequiredResources { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>OpenAPI v3 documents with the schemas that functions may require.</summary>
    public IReadOnlyList<JsonObject> RequiredSchemas { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>Secrets that pipeline steps name as credentials.</summary>
    public IReadOnlyList<JsonObject> Credentials { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>The definition of the composite resource, which tells its scope; without one it is a namespaced or cluster-scoped resource of Crossplane 2.</summary>
    public JsonObject? CompositeResourceDefinition { get; init; }

    /// <summary>The context that the first step is given, by key; null for none.</summary>
    public JsonObject? Context { get; init; }
}
