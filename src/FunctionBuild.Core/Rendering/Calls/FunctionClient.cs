using System.Collections.Frozen;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// Calls functions that run, each by a connection of its own that is opened with the first call. The functions stay the
/// caller's: disposing the client closes the connections, not the functions. Unlike the controller's it does not wait for
/// a function to listen, since whoever started it did. Callable from several threads.
/// </summary>
internal sealed class FunctionClient : IFunctionCaller, IAsyncDisposable
{
    private readonly FrozenDictionary<string, FunctionConnection> _connections;

    /// <summary>Creates a client.</summary>
    /// <param name="functions">The functions; their names differ.</param>
    /// <param name="callTimeout">How long a single call may take; null for as long as its token allows.</param>
    public FunctionClient(IEnumerable<RunningFunction> functions, TimeSpan? callTimeout = null) =>
        _connections = functions.ToFrozenDictionary(
            function => function.Name, function => new FunctionConnection(function, callTimeout), StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<RunFunctionResponse> CallAsync(string function, RunFunctionRequest request, CancellationToken cancellation) =>
        _connections.TryGetValue(function, out FunctionConnection? connection)
            ? connection.CallAsync(request, cancellation)
            : throw NotFound(function);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (FunctionConnection connection in _connections.Values)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private FunctionBuildException NotFound(string function)
    {
        string there = _connections.Count == 0
            ? "No function runs."
            : $"These do: {string.Join(", ", _connections.Keys.Order(StringComparer.Ordinal))}.";
        return new FunctionBuildException(
            "FunctionNotFound",
            FaultKind.NotFound,
            $"No function by the name of '{function}' runs. {there} Pass its image, or describe it in the functions file.",
            function);
    }
}
