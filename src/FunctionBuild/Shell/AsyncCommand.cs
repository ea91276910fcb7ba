using System.Collections.Concurrent;
using System.Management.Automation;
using FunctionBuild.Core;

namespace FunctionBuild.Shell;

/// <summary>
/// Base of the cmdlets that do lasting work: runs it off the pipeline's thread, and brings what it says (objects,
/// progress, verbose, warnings, errors) back onto it. Stopping the pipeline cancels the work and waits for it to clean up.
/// </summary>
public abstract class AsyncCommand : PSCmdlet, IDisposable
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _stop = new();
    private readonly BlockingCollection<Action> _posted = [];
    private readonly Dictionary<int, ProgressRecord> _shown = [];

    /// <summary>Cancelled when the pipeline is stopped.</summary>
    protected CancellationToken Cancellation => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The command ended by itself at the same moment.
        }
    }

    /// <summary>Frees what the cmdlet holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stop.Dispose();
            _posted.Dispose();
        }
    }

    /// <summary>Shows how far the work is; called on the pipeline's thread a few times a second while work runs. What is shown is taken away when it ends.</summary>
    protected virtual void ShowProgress()
    {
    }

    /// <summary>Shows how many bytes of how many are done; nothing while it is not known how many there are.</summary>
    /// <param name="id">Tells the cmdlet's progress records apart; 0 is the whole.</param>
    /// <param name="activity">What is being done.</param>
    /// <param name="done">Bytes done.</param>
    /// <param name="total">Bytes there are.</param>
    /// <param name="prefix">Said before the bytes.</param>
    protected void ReportProgress(int id, string activity, long done, long total, string prefix = "")
    {
        if (total > 0)
        {
            WriteProgress(_shown[id] = new ProgressRecord(id, activity, $"{prefix}{ByteSize.Format(done)} of {ByteSize.Format(total)}")
            {
                ParentActivityId = id == 0 ? -1 : 0,
                PercentComplete = (int)Math.Min(100, done * 100 / total),
            });
        }
    }

    /// <summary>Shows what is being done.</summary>
    /// <param name="id">Tells the cmdlet's progress records apart; 0 is the whole.</param>
    /// <param name="activity">What is being done, as a whole.</param>
    /// <param name="status">What is being done just now.</param>
    /// <param name="percent">How much is done; -1 when that is not known.</param>
    protected void ReportStage(int id, string activity, string status, int percent) =>
        WriteProgress(_shown[id] = new ProgressRecord(id, activity, status) { ParentActivityId = id == 0 ? -1 : 0, PercentComplete = percent });

    /// <summary>Takes a progress record away, if it was shown.</summary>
    protected void CompleteProgress(int id)
    {
        if (_shown.Remove(id, out ProgressRecord? last))
        {
            WriteProgress(new ProgressRecord(id, last.Activity, last.StatusDescription) { ParentActivityId = last.ParentActivityId, RecordType = ProgressRecordType.Completed });
        }
    }

    /// <summary>Has something done on the pipeline's thread; callable from any thread while <see cref="Wait"/> runs.</summary>
    protected void Post(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        _posted.Add(action);
    }

    /// <summary>Runs work and serves what it posts until it is done.</summary>
    /// <exception cref="PipelineStoppedException">The pipeline was stopped; the work has ended by then.</exception>
    protected void Wait(Func<CancellationToken, Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        WaitFor(Task.Run(() => work(Cancellation)));
    }

    /// <summary>Serves what work posts until the task is done.</summary>
    /// <exception cref="PipelineStoppedException">The pipeline was stopped; the work has ended by then.</exception>
    protected void WaitFor(Task task)
    {
        ArgumentNullException.ThrowIfNull(task);
        try
        {
            ServeUntil(task);
        }
        catch
        {
            // A command further down the pipeline failed or wants no more, or the user asked to stop at the first error.
            Abandon(task);
            throw;
        }

        if (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }

        // The parts before the whole.
        foreach (int id in _shown.Keys.OrderDescending())
        {
            CompleteProgress(id);
        }

        task.GetAwaiter().GetResult();
    }

    /// <summary>Serves what work has posted so far, without waiting.</summary>
    protected void ServePosted()
    {
        while (_posted.TryTake(out Action? action))
        {
            Serve(action);
        }
    }

    /// <summary>Cancels work and waits for its end, whatever that is; what it still posts is not served.</summary>
    protected void Abandon(Task task)
    {
        ArgumentNullException.ThrowIfNull(task);
        _stop.Cancel();
        ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
    }

    /// <summary>Writes the error of one input; the others carry on.</summary>
    /// <param name="fault">The error.</param>
    /// <param name="target">The object that it is about; the one that the error itself names when null.</param>
    protected void WriteFault(FunctionBuildException fault, object? target = null) => WriteError(Faults.ToRecord(fault, target));

    /// <summary>Does something whose error ends the command.</summary>
    protected void EndOnFault(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        try
        {
            action();
        }
        catch (FunctionBuildException e)
        {
            ThrowTerminatingError(Faults.ToRecord(e));
        }
    }

    private void ServeUntil(Task task)
    {
        DateTime nextProgress = DateTime.UtcNow + ProgressInterval;
        task.ContinueWith(_ => Post(() => { }), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!task.IsCompleted)
        {
            if (_posted.TryTake(out Action? action, ProgressInterval))
            {
                Serve(action);
            }

            if (DateTime.UtcNow >= nextProgress && !_stop.IsCancellationRequested)
            {
                ShowProgress();
                nextProgress = DateTime.UtcNow + ProgressInterval;
            }
        }

        ServePosted();
    }

    // Once the pipeline is stopping, the engine refuses output; the work's clean-up goes on without it.
    private void Serve(Action action)
    {
        if (!_stop.IsCancellationRequested)
        {
            action();
        }
    }
}
