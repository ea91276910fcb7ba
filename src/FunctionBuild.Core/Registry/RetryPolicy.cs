using System.Globalization;
using Polly;
using Polly.Retry;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// Tries what failed for reasons that may pass again, a bounded number of times with growing, jittered waits. A registry
/// that stayed away through all of them is not asked again.
/// </summary>
internal sealed class RetryPolicy
{
    private readonly ResiliencePipeline _pipeline;
    private readonly RegistryOptions _options;
    private RegistryException? _outage;

    public RetryPolicy(RegistryOptions options)
    {
        _options = options;
        _pipeline = options.MaximumRetries == 0 ? ResiliencePipeline.Empty : new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = options.MaximumRetries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = options.RetryDelay,
            MaxDelay = options.MaximumRetryDelay,
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is RegistryException { IsTransient: true } && _outage is null),
            DelayGenerator = arguments => ValueTask.FromResult(WaitAskedFor(arguments.Outcome.Exception)),
            OnRetry = Report,
        }).Build();
    }

    /// <summary>Runs something until it succeeds, or fails for good.</summary>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> attempt, CancellationToken cancellation)
    {
        if (_outage is { } outage)
        {
            throw outage;
        }

        try
        {
            return await _pipeline.ExecuteAsync(async token => await attempt(token).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        }
        catch (RegistryException e) when (e.IsTransient)
        {
            RegistryException last = e.AfterAttempts(_options.MaximumRetries + 1);
            if (last.IsOutage)
            {
                _outage = last;
            }

            throw last;
        }
    }

    /// <summary>Those who were told to wait shall not all come back at the same moment.</summary>
    private TimeSpan? WaitAskedFor(Exception? failure) =>
        (failure as RegistryException)?.RetryAfter is { } wait ? wait + (_options.RetryDelay * Random.Shared.NextDouble()) : null;

    private ValueTask Report(OnRetryArguments<object> arguments)
    {
        _options.Report?.Invoke(string.Create(
            CultureInfo.InvariantCulture,
            $"{arguments.Outcome.Exception?.Message} Trying again in {arguments.RetryDelay.TotalSeconds:0.0} s ({arguments.AttemptNumber + 1} of {_options.MaximumRetries})."));
        return ValueTask.CompletedTask;
    }
}
