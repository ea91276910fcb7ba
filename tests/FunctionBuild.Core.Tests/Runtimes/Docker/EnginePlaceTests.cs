using System.Text.Json.Nodes;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Runtimes.Docker;

/// <summary>Where containers listen, and where they are looked for.</summary>
public sealed class EnginePlaceTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null, null, "127.0.0.1", "127.0.0.1")]
    [InlineData("0.0.0.0", null, "", "127.0.0.1")]
    [InlineData("0.0.0.0", "localhost", "", "localhost")]
    [InlineData("192.0.2.1", "127.0.0.1", "192.0.2.1", "127.0.0.1")]
    public async Task A_port_is_published_and_reached_where_the_user_wants(string? publish, string? host, string published, string reached)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        using var runtime = (DockerRuntime)await Connect(engine);
        var start = new FunctionStart("function-a") { Image = await _folder.BuildTwoPlatforms(), PublishAddress = publish, ContainerHost = host };

        await using RunningFunction function = await runtime.StartAsync(start, TestContext.Current.CancellationToken);

        JsonNode container = Assert.Single(engine.Containers).Value;
        Assert.Equal(published, container["HostConfig"]!["PortBindings"]!["9443/tcp"]![0]!["HostIp"]!.GetValue<string>());
        Assert.Contains($" at {reached}:", function.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_is_reached_by_its_address_in_a_network()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.NetworkAddresses["jobs"] = "127.0.0.9";
        using var runtime = (DockerRuntime)await Connect(engine, TimeSpan.FromMilliseconds(100));

        // Nothing listens there on a function's own port.
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(async () => await runtime.StartAsync(new FunctionStart("function-a") { Image = await _folder.BuildTwoPlatforms(), ContainerNetwork = "jobs" }, TestContext.Current.CancellationToken));

        Assert.Equal("FunctionNotListening", error.ErrorId);
        Assert.Contains("127.0.0.9:9443", error.Message, StringComparison.Ordinal);
        AssertEmpty(engine);
    }

    [Theory]
    [InlineData("none", false, "NetworkNotFound")]
    [InlineData("none", true, "NetworkNotFound")]
    [InlineData("silent", false, "NoAddressInNetwork")]
    public async Task A_network_in_which_nothing_is_reached_is_an_error(string network, bool looksLate, string errorId)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.NetworkAddresses["silent"] = "";
        engine.LooksForNetworksLate = looksLate;
        using var runtime = (DockerRuntime)await Connect(engine);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(async () => await runtime.StartAsync(new FunctionStart("function-a") { Image = await _folder.BuildTwoPlatforms(), ContainerNetwork = network }, TestContext.Current.CancellationToken));

        Assert.Equal(errorId, error.ErrorId);
        Assert.Contains(network, error.Message, StringComparison.Ordinal);
        AssertEmpty(engine);
    }

    [Fact]
    public async Task A_container_that_is_there_must_be_in_the_network()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.NetworkAddresses["jobs"] = "127.0.0.1";
        using var runtime = (DockerRuntime)await Connect(engine);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        var start = new FunctionStart("function-a") { Image = image, ContainerName = "mine", Cleanup = ContainerCleanup.Orphan };
        await (await runtime.StartAsync(start, TestContext.Current.CancellationToken)).DisposeAsync();

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(start with { ContainerNetwork = "jobs" }, TestContext.Current.CancellationToken));

        Assert.Equal("ContainerNotInNetwork", error.ErrorId);
        Assert.Equal(["mine"], engine.Containers.Keys);
    }

    private static Task<IFunctionRuntime> Connect(FakeEngine engine, TimeSpan? listenTime = null) =>
        DockerRuntime.ConnectAsync(engine.Options() with { ListenTime = listenTime ?? TimeSpan.FromSeconds(30) }, TestContext.Current.CancellationToken);

    private static void AssertEmpty(FakeEngine engine)
    {
        Assert.Empty(engine.Containers);
        Assert.Empty(engine.Images);
    }
}
