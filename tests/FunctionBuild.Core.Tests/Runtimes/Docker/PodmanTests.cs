using Docker.DotNet.Models;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Tests.Fixtures;
using Grpc.Net.Client;

namespace FunctionBuild.Core.Tests.Runtimes.Docker;

/// <summary>A real function in a real engine.</summary>
[Collection(PodmanService.Collection)]
public sealed class PodmanTests(PodmanService podman, HelloFunction hello) : IAsyncLifetime
{
    // Who comes next may find an image that is just being loaded, or removed.
    private const int Sessions = 3;
    private const int Rounds = 5;

    private readonly TestFolder _folder = new();
    private long _loaded;

    public async ValueTask InitializeAsync() => await podman.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        await podman.EndTestAsync();
    }

    [Fact]
    public async Task A_function_answers_and_goes_without_a_trace()
    {
        FunctionImage image = await hello.GetImageAsync();
        using DockerRuntime runtime = await Connect();

        await using (RunningFunction function = await runtime.StartAsync(new FunctionStart(HelloFunction.Name) { Image = image }, TestContext.Current.CancellationToken))
        {
            Assert.Equal("hello", await Greet(function));
            Assert.Contains("9443", await function.ReadLogAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.Equal(2, (await podman.ListAsync()).Count);
        }

        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task Functions_run_side_by_side_on_one_image()
    {
        FunctionImage image = await hello.GetImageAsync();
        long size = image.Images[0].Layers.Sum(l => l.UncompressedSize);
        using DockerRuntime runtime = await Connect();

        FunctionRuntimes functions = await FunctionRuntimes.StartAsync(runtime, Enumerable.Range(0, 3).Select(i => new FunctionStart($"function-{i}") { Image = image }), TestContext.Current.CancellationToken);

        foreach (RunningFunction function in functions.Functions.Values)
        {
            Assert.Equal("hello", await Greet(function));
        }

        Assert.Equal(size, _loaded);
        await functions.DisposeAsync();
        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task The_engine_knows_a_loaded_image_by_its_config()
    {
        FunctionImage image = await hello.GetImageAsync();
        using DockerRuntime runtime = await Connect();
        await using RunningFunction function = await runtime.StartAsync(new FunctionStart(HelloFunction.Name) { Image = image }, TestContext.Current.CancellationToken);
        long once = _loaded;

        // Another session finds the image of the first.
        using (DockerRuntime other = await Connect())
        {
            await (await other.StartAsync(new FunctionStart("function-again") { Image = image }, TestContext.Current.CancellationToken)).DisposeAsync();
        }

        Assert.Equal(once, _loaded);
        Assert.Equal("hello", await Greet(function));
        await function.DisposeAsync();
        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task Sessions_load_and_remove_an_image_at_the_same_time()
    {
        // No program is in it: what matters is over when the engine starts the container.
        FunctionImage image = await _folder.BuildTwoPlatforms();

        await Task.WhenAll(Enumerable.Range(0, Sessions).Select(session => Task.Run(async () =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                using DockerRuntime runtime = await Connect();
                FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart($"function-{session}") { Image = image }, TestContext.Current.CancellationToken));
                Assert.True(error.ErrorId == "ContainerNotStarted", error.Message);
            }
        })));

        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task A_function_in_a_network_is_reached_by_its_own_address()
    {
        FunctionImage image = await hello.GetImageAsync();
        using DockerRuntime runtime = await Connect();
        var start = new FunctionStart(HelloFunction.Name) { Image = image, ContainerNetwork = podman.Network };

        await using (RunningFunction function = await runtime.StartAsync(start, TestContext.Current.CancellationToken))
        {
            Assert.Equal("hello", await Greet(function));
            Assert.DoesNotContain("127.0.0.1", function.Description, StringComparison.Ordinal);
            Assert.EndsWith(":9443", function.Description, StringComparison.Ordinal);
        }

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(start with { ContainerNetwork = "no-such-network" }, TestContext.Current.CancellationToken));
        Assert.Equal("NetworkNotFound", error.ErrorId);
        Assert.Contains("no-such-network", error.Message, StringComparison.Ordinal);
        Assert.Empty(await podman.ListAsync());
    }

    [Theory]
    [InlineData("127.0.0.5", null, "127.0.0.5")]
    [InlineData("0.0.0.0", null, "127.0.0.1")]
    [InlineData("0.0.0.0", "127.0.0.5", "127.0.0.5")]
    public async Task A_function_is_published_where_the_user_wants(string address, string? host, string expected)
    {
        FunctionImage image = await hello.GetImageAsync();
        using DockerRuntime runtime = await Connect();
        var start = new FunctionStart(HelloFunction.Name) { Image = image, PublishAddress = address, ContainerHost = host };

        await using (RunningFunction function = await runtime.StartAsync(start, TestContext.Current.CancellationToken))
        {
            Assert.Contains($" at {expected}:", function.Description, StringComparison.Ordinal);
            Assert.Equal("hello", await Greet(function));
        }

        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task A_function_that_ends_at_once_tells_its_exit_code_and_its_log()
    {
        FunctionImage image = await hello.GetImageAsync(_folder, HelloFunction.WithArguments("--no-such-option"));
        using DockerRuntime runtime = await Connect();

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart(HelloFunction.Name) { Image = image }, TestContext.Current.CancellationToken));

        Assert.Equal("FunctionExited", error.ErrorId);
        Assert.Contains("exit code 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("unknown argument '--no-such-option'", error.Message, StringComparison.Ordinal);
        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task A_function_that_never_listens_is_stopped()
    {
        FunctionImage image = await hello.GetImageAsync(_folder, HelloFunction.WithArguments("--address", "127.0.0.1:9444"));

        FunctionBuildException error = await StartFor(TimeSpan.FromSeconds(6));
        if (!error.Message.Contains("127.0.0.1:9444", StringComparison.Ordinal))
        {
            // On a busy machine it had not come to listen at all.
            error = await StartFor(TimeSpan.FromSeconds(60));
        }

        Assert.Equal("FunctionNotListening", error.ErrorId);
        Assert.Contains("127.0.0.1:9444", error.Message, StringComparison.Ordinal);
        Assert.Empty(await podman.ListAsync());

        async Task<FunctionBuildException> StartFor(TimeSpan listenTime)
        {
            using DockerRuntime runtime = await Connect(listenTime);
            return await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart(HelloFunction.Name) { Image = image }, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_an_error()
    {
        FunctionImage image = await hello.GetImageAsync(_folder, config => config["config"]!["Entrypoint"]![0] = "/no/such/program");
        using DockerRuntime runtime = await Connect();

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart(HelloFunction.Name) { Image = image }, TestContext.Current.CancellationToken));

        Assert.Equal("ContainerNotStarted", error.ErrorId);
        Assert.Contains("/no/such/program", error.Message, StringComparison.Ordinal);
        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task A_wait_for_a_function_can_be_cancelled()
    {
        FunctionImage image = await hello.GetImageAsync(_folder, HelloFunction.WithArguments("--address", "127.0.0.1:9444"));
        using DockerRuntime runtime = await Connect();
        using var cancellation = new CancellationTokenSource();
        Task<RunningFunction> starting = runtime.StartAsync(new FunctionStart(HelloFunction.Name) { Image = image }, cancellation.Token);
        while (!starting.IsCompleted && !(await podman.ListContainersAsync()).Any(l => l.EndsWith(" running", StringComparison.Ordinal)))
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        Assert.Empty(await podman.ListAsync());
    }

    [Fact]
    public async Task A_named_container_is_kept_used_again_and_removed()
    {
        FunctionImage image = await hello.GetImageAsync();
        FunctionImage other = await hello.GetImageAsync(_folder, HelloFunction.WithArguments("--address", "0.0.0.0:9443"));
        using DockerRuntime runtime = await Connect();
        FunctionStart start = new(HelloFunction.Name) { Image = image, ContainerName = "hello", Cleanup = ContainerCleanup.Stop };

        await (await runtime.StartAsync(start, TestContext.Current.CancellationToken)).DisposeAsync();
        string stopped = Assert.Single(await podman.ListAsync(), l => l.StartsWith("container", StringComparison.Ordinal));
        Assert.Equal("container /hello exited", stopped);

        // Stopped, then left running, then taken over while it runs.
        RunningFunction orphan = await runtime.StartAsync(start with { Cleanup = ContainerCleanup.Orphan }, TestContext.Current.CancellationToken);
        await orphan.DisposeAsync();
        Assert.Contains("container /hello running", await podman.ListAsync());

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(start with { Image = other }, TestContext.Current.CancellationToken));
        Assert.Equal("ContainerOfAnotherImage", error.ErrorId);
        Assert.Contains("container /hello running", await podman.ListAsync());

        RunningFunction last = await runtime.StartAsync(start with { Cleanup = ContainerCleanup.Remove }, TestContext.Current.CancellationToken);
        Assert.Equal("hello", await Greet(last));
        await last.DisposeAsync();
        string kept = Assert.Single(await podman.ListAsync());
        Assert.StartsWith("image localhost/functionbuild:", kept, StringComparison.Ordinal);
        await podman.Client.Images.DeleteImageAsync(kept.Split(' ')[1], new ImageDeleteParameters(), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_image_that_is_nowhere_is_an_error()
    {
        using DockerRuntime runtime = await Connect();

        FunctionBuildException never = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart("function-a") { Reference = "127.0.0.1:9/acme/function-a:v1", PullPolicy = PullPolicy.Never }, TestContext.Current.CancellationToken));
        FunctionBuildException pulled = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart("function-a") { Reference = "127.0.0.1:9/acme/function-a:v1" }, TestContext.Current.CancellationToken));

        Assert.Equal("ImageNotFound", never.ErrorId);
        Assert.Equal("ImagePullFailed", pulled.ErrorId);
        Assert.Empty(await podman.ListAsync());
    }

    private static async Task<string> Greet(RunningFunction function)
    {
        using var channel = GrpcChannel.ForAddress("http://function", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = (_, cancellation) => function.ConnectAsync(cancellation) },
        });
        var client = new FunctionRunnerService.FunctionRunnerServiceClient(channel);
        RunFunctionResponse response = await client.RunFunctionAsync(
            new RunFunctionRequest { Meta = new RequestMeta { Tag = "hello" } },
            deadline: DateTime.UtcNow.AddSeconds(30),
            cancellationToken: TestContext.Current.CancellationToken);
        return response.Meta.Tag;
    }

    private async Task<DockerRuntime> Connect(TimeSpan? listenTime = null) => (DockerRuntime)await DockerRuntime.ConnectAsync(
        new RuntimeOptions { Environment = podman.Environment, ListenTime = listenTime ?? TimeSpan.FromSeconds(60), OnLoaded = bytes => Interlocked.Add(ref _loaded, bytes) },
        TestContext.Current.CancellationToken);
}
