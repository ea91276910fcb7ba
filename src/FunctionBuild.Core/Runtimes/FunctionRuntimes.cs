using System.Runtime.ExceptionServices;

namespace FunctionBuild.Core.Runtimes;

/// <summary>Functions that run together. Disposing of it stops them all at once; that never throws.</summary>
internal sealed class FunctionRuntimes : IAsyncDisposable
{
    private FunctionRuntimes(IEnumerable<RunningFunction> functions) =>
        Functions = functions.ToDictionary(f => f.Name, StringComparer.Ordinal);

    /// <summary>The functions by name.</summary>
    public IReadOnlyDictionary<string, RunningFunction> Functions { get; }

    /// <summary>Starts functions in parallel, each name once. If one fails, the others are stopped.</summary>
    /// <param name="runtime">Starts them.</param>
    /// <param name="starts">The functions; of several of one name the first counts.</param>
    /// <param name="cancellation">Stops the start, after which nothing is left.</param>
    /// <exception cref="FunctionBuildException">The first failure; its message lists the others that failed too.</exception>
    public static async Task<FunctionRuntimes> StartAsync(IFunctionRuntime runtime, IEnumerable<FunctionStart> starts, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var failures = new List<Exception>();
        bool isCancelled = false;
        RunningFunction?[] started = await Task.WhenAll(starts.DistinctBy(s => s.Name, StringComparer.Ordinal).Select(StartOneAsync)).ConfigureAwait(false);
        var functions = new FunctionRuntimes(started.OfType<RunningFunction>());
        if (failures.Count == 0)
        {
            return functions;
        }

        await functions.DisposeAsync().ConfigureAwait(false);
        throw isCancelled ? new OperationCanceledException(cancellation) : Combine(failures);

        async Task<RunningFunction?> StartOneAsync(FunctionStart start)
        {
            try
            {
                return await Task.Run(() => runtime.StartAsync(start, stop.Token), stop.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                lock (failures)
                {
                    // Time may also run out after something failed, while it is being stopped.
                    isCancelled |= failures.Count == 0 && e is OperationCanceledException && cancellation.IsCancellationRequested;
                    failures.Add(e);
                }

                await stop.CancelAsync().ConfigureAwait(false);
                return null;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(Functions.Values.Select(f => f.DisposeAsync().AsTask())).ConfigureAwait(false);

    // What was cancelled because another failed is no failure of its own.
    private static Exception Combine(List<Exception> failures)
    {
        List<Exception> own = [.. failures.Where(f => f is not OperationCanceledException)];
        Exception first = own.FirstOrDefault() ?? failures[0];
        if (own.Count > 1 && first is FunctionBuildException typed)
        {
            return new FunctionBuildException(typed.ErrorId, typed.Kind, $"{typed.Message}{string.Concat(own.Select(f => f.Message).Distinct().Skip(1).Select(m => $"{Environment.NewLine}Also: {m}"))}", typed.TargetObject, new AggregateException(own));
        }

        ExceptionDispatchInfo.Throw(first);
        return first;
    }
}
