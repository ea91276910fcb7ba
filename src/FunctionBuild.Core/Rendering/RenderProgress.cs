namespace FunctionBuild.Core.Rendering;

/// <summary>How far a render is. Callable from several threads.</summary>
public sealed class RenderProgress
{
    private volatile RenderStage _stage = new("Reading", 0, 0);

    /// <summary>Where it is.</summary>
    public RenderStage Stage => _stage;

    /// <summary>It is somewhere else now.</summary>
    internal void Enter(string text, int done, int total) => _stage = new RenderStage(text, done, total);
}
