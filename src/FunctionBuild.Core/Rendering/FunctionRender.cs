using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Engine;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Development;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Runtimes.Oci;

namespace FunctionBuild.Core.Rendering;

/// <summary>Runs renders: starts the functions that are needed, together, runs the pipeline, and stops them again.</summary>
public static class FunctionRender
{
    private const double ListenPart = 0.9;

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

        // Which function does not listen says more than that the time is over.
        using var listening = new CancellationTokenSource(options.Timeout * ListenPart);
        using RuntimeSelector runtime = SelectRuntime(options, listening.Token);
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

                try
                {
                    return await engine.RenderAsync(plan, [.. functions.Functions.Values], limit.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (IsOver() && engine.Called is { } called)
                {
                    throw Timeout(await FunctionLog.DescribeAsync(functions.Functions[called], cancellation).ConfigureAwait(false));
                }
            }
        }
        catch (OperationCanceledException) when (IsOver())
        {
            throw Timeout(string.Empty);
        }

        bool IsOver() => limit.IsCancellationRequested && !cancellation.IsCancellationRequested;

        FunctionBuildException Timeout(string log)
        {
            string stage = options.Progress?.Stage.Text is { } text ? $" The last thing that was done: {text}." : string.Empty;
            return new FunctionBuildException("RenderTimeout", FaultKind.LimitExceeded, $"Rendering {plan.Name} took longer than {options.Timeout.TotalSeconds:0.###} seconds.{stage} Give it more time (-Timeout).{log}", plan.Name);
        }
    }

    private static RuntimeSelector SelectRuntime(RenderOptions options, CancellationToken listenLimit)
    {
        var runtime = new RuntimeOptions
        {
            ListenTime = options.Timeout,
            ListenLimit = listenLimit,
            Report = options.Report,
            Environment = CredentialEnvironment.OfProcess with { WorkingDirectory = options.WorkingDirectory },
        };
        return new RuntimeSelector(
            options.Runtime,
            new DevelopmentRuntime(runtime),
            cancellation => DockerRuntime.ConnectAsync(runtime, cancellation),
            _ => Task.FromResult<IFunctionRuntime>(OciRuntime.Find(new OciRuntimeOptions { HostNetwork = options.HostNetwork, ListenTime = runtime.ListenTime, ListenLimit = runtime.ListenLimit, Report = options.Report })));
    }
}
