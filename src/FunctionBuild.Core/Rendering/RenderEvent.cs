namespace FunctionBuild.Core.Rendering;

/// <summary>An event that the controller would record on the composite resource.</summary>
/// <param name="Type"><c>Normal</c> or <c>Warning</c>.</param>
/// <param name="Reason">A word for machines, such as <c>ComposeResources</c>.</param>
/// <param name="Message">The text for people.</param>
public sealed record RenderEvent(string Type, string Reason, string Message);
