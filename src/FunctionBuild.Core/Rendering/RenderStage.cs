namespace FunctionBuild.Core.Rendering;

/// <summary>Where a render is.</summary>
/// <param name="Text">What is being done, for people.</param>
/// <param name="Done">How many pipeline steps are done.</param>
/// <param name="Total">How many there are; 0 while that is not known.</param>
public sealed record RenderStage(string Text, int Done, int Total);
