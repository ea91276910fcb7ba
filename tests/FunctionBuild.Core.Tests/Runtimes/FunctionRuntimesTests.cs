using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Tests.Runtimes;

public sealed class FunctionRuntimesTests
{
    private static readonly string[] Names = ["function-a", "function-b", "function-c"];

    [Fact]
    public async Task Functions_start_together_and_each_once()
    {
        int waiting = 0;
        var all = new TaskCompletionSource();
        var runtime = new FakeRuntime((_, cancellation) =>
        {
            if (Interlocked.Increment(ref waiting) == Names.Length)
            {
                all.SetResult();
            }

            return all.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellation);
        });

        FunctionRuntimes functions = await Start(runtime, [.. Names, .. Names]);

        Assert.Equal(Names, functions.Functions.Keys.Order());
        Assert.Equal(Names, runtime.Started.Order());
        Assert.Empty(runtime.Stopped);
        await functions.DisposeAsync();
        Assert.Equal(Names, runtime.Stopped.Order());
    }

    [Fact]
    public async Task When_one_fails_the_others_are_stopped()
    {
        var begun = new CountdownEvent(Names.Length - 1);
        var runtime = new FakeRuntime(async (start, cancellation) =>
        {
            switch (start.Name)
            {
                case "function-a":
                    begun.Signal();
                    return;
                case "function-b":
                    begun.Signal();
                    await Task.Delay(Timeout.Infinite, cancellation);
                    return;
                default:
                    Assert.True(begun.Wait(TimeSpan.FromSeconds(30), cancellation));
                    throw Failure(start.Name);
            }
        });

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Start(runtime, Names));

        Assert.Equal("Failed", error.ErrorId);
        Assert.Equal("function-c failed.", error.Message);
        Assert.Equal(runtime.Started.Order(), runtime.Stopped.Order());
    }

    [Fact]
    public async Task Those_that_failed_too_are_told_of()
    {
        using var gate = new Barrier(Names.Length);
        var runtime = new FakeRuntime((start, _) => gate.SignalAndWait(TimeSpan.FromSeconds(30), CancellationToken.None) ? throw Failure(start.Name) : Task.CompletedTask);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Start(runtime, Names));

        Assert.All(Names, name => Assert.Contains($"{name} failed.", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cancelled_start_leaves_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        var runtime = new FakeRuntime(async (start, token) =>
        {
            if (start.Name == "function-c")
            {
                await cancellation.CancelAsync();
                token.ThrowIfCancellationRequested();
            }
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Start(runtime, Names, cancellation.Token));

        Assert.Equal(runtime.Started.Order(), runtime.Stopped.Order());
    }

    private static Task<FunctionRuntimes> Start(FakeRuntime runtime, IEnumerable<string> names, CancellationToken? cancellation = null) =>
        FunctionRuntimes.StartAsync(runtime, names.Select(n => new FunctionStart(n)), cancellation ?? TestContext.Current.CancellationToken);

    private static FunctionBuildException Failure(string name) => new("Failed", FaultKind.InvalidOperation, $"{name} failed.");
}
