using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>A function in an engine's container, from before its container is made.</summary>
internal sealed class DockerFunction : RunningFunction
{
    private readonly EngineImages _images;
    private readonly ContainerCleanup _cleanup;
    private readonly Lazy<Task> _end;
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource _startEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (string Host, int Port) _place;
    private bool _isReady;

    public DockerFunction(FunctionStart start, EngineContainer container, EngineImages images)
        : base(start.Name)
    {
        Container = container;
        _images = images;
        _cleanup = start.Cleanup;
        _end = new Lazy<Task>(EndAsync);
        LiveFunctions.Add(this);
    }

    public EngineContainer Container { get; }

    /// <summary>The image that is held for it; null when none is.</summary>
    public PlatformImage? Image { get; set; }

    /// <summary>Whether the container is one that we made, or may have made: a start that fails removes it.</summary>
    public bool IsOurs { get; set; }

    /// <summary>Whether we start a container that was there before us, and was stopped.</summary>
    public bool IsRevived { get; set; }

    public override string Description => $"container {Container.Name} at {_place.Host}:{_place.Port}";

    /// <summary>Cancelled when the process ends during the start.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Tells where it listens; from now on it ends as its user wants.</summary>
    public void BeReady((string Host, int Port) place)
    {
        _place = place;
        _isReady = true;
    }

    /// <summary>The start is over, whether it succeeded or left nothing.</summary>
    public void EndStart() => _startEnded.SetResult();

    /// <summary>Stops a function because the process ends; a start that goes on is cancelled, and leaves nothing.</summary>
    public async Task AbandonAsync()
    {
        await _abandoned.CancelAsync().ConfigureAwait(false);
        await _startEnded.Task.ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    public override ValueTask<Stream> ConnectAsync(CancellationToken cancellation) => FunctionPort.ConnectAsync(_place.Host, _place.Port, cancellation);

    public override Task<string> ReadLogAsync(CancellationToken cancellation) => Container.ReadLogAsync(cancellation);

    public override ValueTask DisposeAsync() => new(_end.Value);

    private async Task EndAsync()
    {
        ContainerCleanup cleanup = _isReady ? _cleanup
            : IsOurs ? ContainerCleanup.Remove
            : IsRevived ? ContainerCleanup.Stop
            : ContainerCleanup.Orphan;
        if (cleanup != ContainerCleanup.Orphan)
        {
            await Container.StopAsync().ConfigureAwait(false);
        }

        if (cleanup == ContainerCleanup.Remove)
        {
            await Container.RemoveAsync().ConfigureAwait(false);
        }
        else if (cleanup == ContainerCleanup.Stop)
        {
            await Container.SettleAsync().ConfigureAwait(false);
        }

        if (Image is { } image)
        {
            await _images.ReleaseAsync(image, keep: IsOurs && cleanup != ContainerCleanup.Remove).ConfigureAwait(false);
        }

        LiveFunctions.Remove(this);
    }
}
