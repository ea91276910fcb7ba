using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Engine;

/// <summary>Our own controller.</summary>
/// <param name="options">Where progress and decisions are told.</param>
internal sealed class PipelineEngine(RenderOptions options) : IRenderEngine
{
    private volatile string? _called;

    /// <inheritdoc/>
    public string? Called => _called;

    /// <inheritdoc/>
    public async Task<RenderResult> RenderAsync(RenderPlan plan, IReadOnlyCollection<RunningFunction> functions, CancellationToken cancellation)
    {
        var client = new FunctionClient(functions);
        await using (client.ConfigureAwait(false))
        {
            return await CompositeRenderer.RenderAsync(plan.Request, new WatchedCaller(this, client, plan, options), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Tells which step is being called; the steps come one after the other.</summary>
    private sealed class WatchedCaller(PipelineEngine engine, IFunctionCaller inner, RenderPlan plan, RenderOptions options) : IFunctionCaller
    {
        private string? _tag;
        private int _step;

        public async Task<RunFunctionResponse> CallAsync(string function, RunFunctionRequest request, CancellationToken cancellation)
        {
            // A step is called again, with the same tag, to be given what it requires.
            if (request.Meta?.Tag != _tag)
            {
                _tag = request.Meta?.Tag;
                _step++;
                options.Progress?.Enter($"Step {_step} of {plan.Steps}: {function}", _step - 1, plan.Steps);
                options.Report?.Invoke($"Step {_step} of {plan.Steps} calls {function}.");
            }
            else
            {
                options.Report?.Invoke($"{function} is called again, with what it requires.");
            }

            engine._called = function;
            RunFunctionResponse response = await inner.CallAsync(function, request, cancellation).ConfigureAwait(false);
            engine._called = null;
            return response;
        }
    }
}
