using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>One step of a composition's pipeline.</summary>
internal sealed record PipelineStep
{
    /// <summary>The step's name, unique in its pipeline.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the function that it runs.</summary>
    public required string Function { get; init; }

    /// <summary>What the function is given as input; null for none.</summary>
    public Struct? Input { get; init; }

    public IReadOnlyList<StepCredential> Credentials { get; init; } = [];

    /// <summary>Resources that the function gets with its first call, by the name of the requirement.</summary>
    public IReadOnlyList<KeyValuePair<string, ResourceSelector>> RequiredResources { get; init; } = [];

    /// <summary>Schemas that the function gets with its first call, by the name of the requirement.</summary>
    public IReadOnlyList<KeyValuePair<string, SchemaSelector>> RequiredSchemas { get; init; } = [];
}
