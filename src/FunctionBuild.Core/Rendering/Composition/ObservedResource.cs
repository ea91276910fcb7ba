using System.Text.Json.Nodes;
using Google.Protobuf;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>A composed resource that exists.</summary>
/// <param name="Name">Its name in the state that functions see.</param>
/// <param name="Source">The object.</param>
/// <param name="ConnectionDetails">What its connection Secret holds.</param>
internal sealed record ObservedResource(string Name, JsonObject Source, IReadOnlyDictionary<string, ByteString> ConnectionDetails);
