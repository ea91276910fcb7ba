using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

/// <summary>Functions that are a few lines of a test. Requests are kept as they came.</summary>
internal sealed class ScriptedCaller : IFunctionCaller
{
    private readonly Dictionary<string, Action<RunFunctionRequest, RunFunctionResponse>> _scripts = new(StringComparer.Ordinal);

    public List<(string Function, RunFunctionRequest Request)> Calls { get; } = [];

    /// <summary>A function that answers with what it was given, and whatever the script changes.</summary>
    public static ScriptedCaller With(Action<RunFunctionRequest, RunFunctionResponse> script) => new ScriptedCaller().Add("function-one", script);

    public ScriptedCaller Add(string function, Action<RunFunctionRequest, RunFunctionResponse> script)
    {
        _scripts.Add(function, script);
        return this;
    }

    public Task<RunFunctionResponse> CallAsync(string function, RunFunctionRequest request, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Calls.Add((function, request.Clone()));
        if (!_scripts.TryGetValue(function, out Action<RunFunctionRequest, RunFunctionResponse>? script))
        {
            throw new FunctionBuildException("FunctionNotFound", FaultKind.NotFound, $"There is no function '{function}'.", function);
        }

        var response = new RunFunctionResponse { Desired = request.Desired?.Clone() ?? new State(), Context = request.Context?.Clone() };
        script(request, response);
        return Task.FromResult(response);
    }
}
