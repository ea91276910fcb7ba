namespace FunctionBuild.Core.Registry;

/// <summary>Cancels a request that no longer moves.</summary>
internal sealed class Watchdog : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly RegistryOptions _options;

    public Watchdog(RegistryOptions options, CancellationToken cancellation)
    {
        _options = options;
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    }

    /// <summary>Cancelled with the caller's, or when nothing moves for too long.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>A part of the body was taken.</summary>
    public void Moved() => _source.CancelAfter(_options.StallTimeout);

    /// <summary>Everything was sent; the answer may take a while.</summary>
    public void Sent() => _source.CancelAfter(_options.ResponseTimeout);

    /// <summary>Nothing more is wanted: what is still being sent stops.</summary>
    public void Stop() => _source.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
