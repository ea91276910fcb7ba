namespace FunctionBuild.Core.Runtimes.Development;

/// <summary>A function that somebody else started; it goes on when this handle is disposed of.</summary>
internal sealed class ListeningFunction(string name, DevelopmentTarget target) : RunningFunction(name)
{
    public override string Description => target.Text;

    public override ValueTask<Stream> ConnectAsync(CancellationToken cancellation) => target.ConnectAsync(cancellation);

    public override Task<string> ReadLogAsync(CancellationToken cancellation) => Task.FromResult(string.Empty);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
