using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>Runs a composition function once.</summary>
internal interface IFunctionCaller
{
    /// <summary>Calls a function.</summary>
    /// <param name="function">The name by which a pipeline step refers to it (<c>functionRef.name</c>).</param>
    /// <param name="request">What it is given.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <exception cref="FunctionBuildException">The function is not there, cannot be reached, or answers with an error.</exception>
    Task<RunFunctionResponse> CallAsync(string function, RunFunctionRequest request, CancellationToken cancellation);
}
