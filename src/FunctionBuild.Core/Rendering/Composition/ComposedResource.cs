using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>A resource that the controller would apply.</summary>
/// <param name="Name">Its name in the functions' desired state.</param>
/// <param name="Source">The object.</param>
/// <param name="IsReady">Whether a function says that it is ready.</param>
internal sealed record ComposedResource(string Name, JsonObject Source, bool IsReady);
