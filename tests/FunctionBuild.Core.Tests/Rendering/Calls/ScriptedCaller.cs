using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

/// <summary>A function without a process.</summary>
internal sealed class ScriptedCaller(Func<RunFunctionRequest, int, RunFunctionResponse> answer) : IFunctionCaller
{
    /// <summary>What it was given, in order.</summary>
    public List<RunFunctionRequest> Requests { get; } = [];

    public Task<RunFunctionResponse> CallAsync(string function, RunFunctionRequest request, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Requests.Add(request.Clone());
        return Task.FromResult(answer(request, Requests.Count));
    }
}
