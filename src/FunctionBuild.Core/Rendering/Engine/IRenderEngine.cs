using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Engine;

/// <summary>Runs a pipeline against functions that listen, and tells what the controller would make of it.</summary>
internal interface IRenderEngine
{
    /// <summary>The function whose answer is being waited for; null when there is none, or it is not known.</summary>
    string? Called { get; }

    /// <summary>Renders.</summary>
    /// <param name="plan">What; its functions run.</param>
    /// <param name="functions">The functions, by the names that steps use.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="FunctionBuildException">It cannot be rendered.</exception>
    Task<RenderResult> RenderAsync(RenderPlan plan, IReadOnlyCollection<RunningFunction> functions, CancellationToken cancellation);
}
