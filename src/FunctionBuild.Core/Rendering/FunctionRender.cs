using FunctionBuild.Core.Rendering.Engine;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Development;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Runtimes.Oci;

namespace FunctionBuild.Core.Rendering;

/// <summary>Runs renders: starts the functions that are needed, together, runs the pipeline, and stops them again.</summary>
public static class FunctionRender
{
    /// <summary>Renders. Whatever happens, nothing that was started is left.</summary>
    /// <param name="plan">What.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>RenderTimeout</c>; or a function cannot be started, or returned a fatal result, or what the functions made of
    /// the composite resource cannot be used.
    /// </exception>
    public static async Task<RenderResult> RunAsync(RenderPlan plan, RenderOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(options);
        using RuntimeSelector runtime = SelectRuntime(options);
        IRenderEngine engine = options.CrossplaneBinary is null ? new PipelineEngine(options) : new BinaryEngine(options);
        return await RunAsync(plan, options, runtime, engine, cancellation).ConfigureAwait(false);
    }

    /// <summary>Renders by a runtime and an engine that were chosen.</summary>
    internal static async Task<RenderResult> RunAsync(RenderPlan plan, RenderOptions options, IFunctionRuntime runtime, IRenderEngine engine, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.Timeout);
        try
        {
            options.Progress?.Enter($"Starting {string.Join(", ", plan.Functions.Select(f => f.Name))}", 0, plan.Steps);
            FunctionRuntimes functions = await FunctionRuntimes.StartAsync(runtime, plan.Functions, limit.Token).ConfigureAwait(false);
            await using (functions.ConfigureAwait(false))
            {
                foreach (RunningFunction function in functions.Functions.Values)
                {
                    options.Report?.Invoke($"{function.Name} runs: {function.Description}.");
                }

                return await engine.RenderAsync(plan, [.. functions.Functions.Values], limit.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            string stage = options.Progress?.Stage.Text is { } text ? $" The last thing that was done: {text}." : string.Empty;
            throw new FunctionBuildException("RenderTimeout", FaultKind.LimitExceeded, $"Rendering {plan.Name} took longer than {options.Timeout.TotalSeconds:0.###} seconds.{stage} Give it more time (-Timeout).", plan.Name);
        }
    }

    private static RuntimeSelector SelectRuntime(RenderOptions options)
    {
        // Which function does not listen says more than that the time is over.
        TimeSpan listenTime = options.Timeout * 0.9;
        var runtime = new RuntimeOptions { ListenTime = listenTime, Report = options.Report };
        return new RuntimeSelector(
            options.Runtime,
            new DevelopmentRuntime(runtime),
            cancellation => DockerRuntime.ConnectAsync(runtime, cancellation),
            _ => Task.FromResult<IFunctionRuntime>(OciRuntime.Find(new OciRuntimeOptions { HostNetwork = options.HostNetwork, ListenTime = listenTime, Report = options.Report })));
    }
}
