namespace FunctionBuild.Shell;

/// <summary>
/// Runs work on inputs as they come, a bounded number at a time, and hands the results on in the order of the inputs.
/// </summary>
/// <typeparam name="TResult">What work on one input gives.</typeparam>
internal sealed class ThrottledQueue<TResult>(int limit, Action<TResult> onResult, CancellationToken cancellation) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(limit, limit);
    private Task _last = Task.CompletedTask;

    /// <summary>Done when all results have been handed on.</summary>
    public Task Completion => _last;

    public void Add(Func<CancellationToken, Task<TResult>> work)
    {
        Task<TResult> task = RunAsync(work);
        _last = HandOnAsync(_last, task);
    }

    public void Dispose() => _slots.Dispose();

    private async Task<TResult> RunAsync(Func<CancellationToken, Task<TResult>> work)
    {
        await _slots.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await work(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task HandOnAsync(Task previous, Task<TResult> task)
    {
        try
        {
            // The earlier one may fail; this one's end is waited for all the same.
            await previous.ConfigureAwait(false);
        }
        finally
        {
            await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        onResult(await task.ConfigureAwait(false));
    }
}
