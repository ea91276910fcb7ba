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

    /// <summary>Cancelled when the pipeline is stopped.</summary>
    protected CancellationToken Cancellation => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Frees what the cmdlet holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stop.Dispose();
            _posted.Dispose();
        }
    }

    /// <summary>Shows how far the work is; called on the pipeline's thread a few times a second while work runs.</summary>
    protected virtual void ShowProgress()
    {
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
        Task task = Task.Run(() => work(Cancellation));
        WaitFor(task);
    }

    /// <summary>Serves what work posts until the task is done.</summary>
    /// <exception cref="PipelineStoppedException">The pipeline was stopped; the work has ended by then.</exception>
    protected void WaitFor(Task task)
    {
        ArgumentNullException.ThrowIfNull(task);
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

        while (_posted.TryTake(out Action? action))
        {
            Serve(action);
        }

        if (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }

        task.GetAwaiter().GetResult();
    }

    /// <summary>Writes the error of one input; the others carry on.</summary>
    protected void WriteFault(FunctionBuildException fault) => WriteError(ToRecord(fault));

    /// <summary>An error as PowerShell has it, with its own id.</summary>
    protected static ErrorRecord ToRecord(FunctionBuildException fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ErrorCategory category = fault.Kind switch
        {
            FaultKind.InvalidData => ErrorCategory.InvalidData,
            FaultKind.InvalidArgument => ErrorCategory.InvalidArgument,
            FaultKind.NotFound => ErrorCategory.ObjectNotFound,
            FaultKind.AlreadyExists => ErrorCategory.ResourceExists,
            FaultKind.InvalidOperation => ErrorCategory.InvalidOperation,
            FaultKind.LimitExceeded => ErrorCategory.LimitsExceeded,
            FaultKind.Read => ErrorCategory.ReadError,
            FaultKind.Write => ErrorCategory.WriteError,
            _ => ErrorCategory.NotSpecified,
        };
        return new ErrorRecord(fault, fault.ErrorId, category, fault.TargetObject);
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
