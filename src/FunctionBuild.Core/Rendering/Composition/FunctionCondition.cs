using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>A condition that a function sets on the composite resource.</summary>
/// <param name="Source">The condition as it stands in <c>status.conditions</c>.</param>
/// <param name="ForClaim">Whether the claim gets it too.</param>
internal sealed record FunctionCondition(JsonObject Source, bool ForClaim);
