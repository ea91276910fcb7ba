namespace FunctionBuild.Core.Rendering.Output;

/// <summary>What is printed beside the resources.</summary>
[Flags]
public enum RenderedContent
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>All of the composite resource that was given, with the pipeline's changes, instead of the changes alone.</summary>
    FullComposite = 1,

    /// <summary>The controller's events, among them what functions reported.</summary>
    FunctionResults = 2,

    /// <summary>The context as the last step left it.</summary>
    Context = 4,
}
