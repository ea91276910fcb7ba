using System.Collections.Concurrent;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Tests.Runtimes;

/// <summary>Starts functions that do nothing, or fails as a test wants.</summary>
internal sealed class FakeRuntime(Func<FunctionStart, CancellationToken, Task>? onStart = null) : IFunctionRuntime, IDisposable
{
    public ConcurrentQueue<string> Started { get; } = new();

    public ConcurrentQueue<string> Stopped { get; } = new();

    public bool IsDisposed { get; private set; }

    public async Task<RunningFunction> StartAsync(FunctionStart start, CancellationToken cancellation)
    {
        if (onStart is not null)
        {
            await onStart(start, cancellation);
        }

        Started.Enqueue(start.Name);
        return new Function(start.Name, this);
    }

    public void Dispose() => IsDisposed = true;

    private sealed class Function(string name, FakeRuntime runtime) : RunningFunction(name)
    {
        public override string Description => Name;

        public override ValueTask<Stream> ConnectAsync(CancellationToken cancellation) => new(Stream.Null);

        public override Task<string> ReadLogAsync(CancellationToken cancellation) => Task.FromResult(string.Empty);

        public override ValueTask DisposeAsync()
        {
            runtime.Stopped.Enqueue(Name);
            return ValueTask.CompletedTask;
        }
    }
}
