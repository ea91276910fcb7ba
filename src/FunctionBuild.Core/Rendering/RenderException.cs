using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering;

/// <summary>A render that failed: because of its input, or because the controller could not compose resources from what the functions made of it.</summary>
public sealed class RenderException : FunctionBuildException
{
    /// <summary>Creates an error.</summary>
    /// <param name="errorId">A stable id for scripts, such as <c>FunctionFatal</c>.</param>
    /// <param name="kind">The kind of fault.</param>
    /// <param name="message">What is wrong, where, what was expected and what to do.</param>
    /// <param name="target">The pipeline step or object concerned.</param>
    /// <param name="innerException">The cause.</param>
    public RenderException(string errorId, FaultKind kind, string message, object? target = null, Exception? innerException = null)
        : base(errorId, kind, message, target, innerException) => ControllerMessage = message;

    /// <summary>
    /// What the controller would leave behind when composing resources failed: the composite resource with its conditions,
    /// the events, and the selectors of the resources and schemas that functions required until then. Null when it never
    /// got as far as composing.
    /// </summary>
    public RenderResult? Partial { get; private init; }

    /// <summary>The selectors of the resources that functions required before the error (<c>ResourceSelector</c> of the function protocol).</summary>
    public IReadOnlyList<JsonObject> RequiredResources => Partial?.RequiredResources ?? [];

    /// <summary>The selectors of the schemas that functions required before the error (<c>SchemaSelector</c> of the function protocol).</summary>
    public IReadOnlyList<JsonObject> RequiredSchemas => Partial?.RequiredSchemas ?? [];

    /// <summary>What was recorded until the error, without the event that tells of the error itself.</summary>
    public IReadOnlyList<RenderEvent> EventsBefore =>
        ReadOnly.Copy<RenderEvent>([.. (Partial?.Events ?? []).Where(e => !e.Message.EndsWith(ControllerMessage, StringComparison.Ordinal))]);

    /// <summary>The error in the controller's words, for events and conditions.</summary>
    internal string ControllerMessage { get; init; }

    /// <summary>The same error, with what was there when it happened.</summary>
    internal RenderException With(RenderResult partial) =>
        new(ErrorId, Kind, Message, TargetObject, InnerException) { ControllerMessage = ControllerMessage, Partial = partial };
}
