using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>One document of a stream, and where it stands.</summary>
/// <param name="Content">What it holds; never null.</param>
/// <param name="Source">The file, or the name of what else it came from.</param>
/// <param name="Number">Its number in the stream, from 1.</param>
/// <param name="Line">The line on which it begins, from 1; 0 when it is no text.</param>
internal sealed record InputDocument(JsonNode Content, string Source, int Number, int Line)
{
    /// <summary>Where it stands, for messages.</summary>
    public string Place => Line == 0 ? Source : $"{Source}, document {Number} (line {Line})";

    /// <summary>The document as an object.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>NotAnObject</c>.</exception>
    public JsonObject AsObject() => Content as JsonObject
        ?? throw new FunctionBuildException("NotAnObject", FaultKind.InvalidData, $"{Place}: a Kubernetes object is expected, a mapping with apiVersion and kind; this is a {(Content is JsonArray ? "list" : "single value")}.", Source);
}
