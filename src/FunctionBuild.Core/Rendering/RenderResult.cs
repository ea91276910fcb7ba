using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering;

/// <summary>What the controller would make of a composite resource. Objects are Kubernetes objects as JSON.</summary>
public sealed record RenderResult
{
    /// <summary>The composite resource with what the controller and the pipeline set: references, status, conditions.</summary>
    public required JsonObject CompositeResource { get; init; }

    /// <summary>The composed resources that would be applied, ordered by the annotation <c>crossplane.io/composition-resource-name</c>.</summary>
    public required IReadOnlyList<JsonObject> ComposedResources { get; init => field = ReadOnly.Copy(value); }

    /// <summary>Observed resources that are no longer desired and would be deleted.</summary>
    public required IReadOnlyList<JsonObject> DeletedResources { get; init => field = ReadOnly.Copy(value); }

    /// <summary>What the controller would record, in the order in which it happened.</summary>
    public required IReadOnlyList<RenderEvent> Events { get; init => field = ReadOnly.Copy(value); }

    /// <summary>The selectors of the resources that functions required (<c>ResourceSelector</c> of the function protocol).</summary>
    public IReadOnlyList<JsonObject> RequiredResources { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>The selectors of the schemas that functions required (<c>SchemaSelector</c> of the function protocol).</summary>
    public IReadOnlyList<JsonObject> RequiredSchemas { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>The context as the last step left it; empty when there is none.</summary>
    public JsonObject Context { get; init; } = [];

    /// <summary>How long the functions say that their answers hold, after which the controller would look again; null when none of them says so.</summary>
    public TimeSpan? TimeToLive { get; init; }
}
