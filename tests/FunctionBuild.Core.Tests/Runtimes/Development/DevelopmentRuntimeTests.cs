using System.Net;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Development;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Runtimes.Development;

public sealed class DevelopmentRuntimeTests
{
    private static readonly RuntimeOptions Patient = new() { ListenTime = TimeSpan.FromSeconds(30) };
    private static readonly RuntimeOptions Hasty = new() { ListenTime = TimeSpan.FromMilliseconds(100) };

    [Theory]
    [InlineData("localhost:{0}")]
    [InlineData("127.0.0.1:{0}")]
    [InlineData(":{0}")]
    [InlineData("dns:///localhost:{0}")]
    [InlineData("dns:localhost:{0}")]
    [InlineData("passthrough:///127.0.0.1:{0}")]
    public async Task A_function_that_listens_is_used_where_it_is(string target)
    {
        using var listener = new Http2Listener();
        string text = string.Format(null, target, listener.Port);

        await using RunningFunction function = await Start(text, Patient);

        Assert.Equal(text, function.Description);
        await using Stream connection = await function.ConnectAsync(TestContext.Current.CancellationToken);
        await connection.WriteAsync(new byte[] { 1 }, TestContext.Current.CancellationToken);
        Assert.True(await connection.ReadAsync(new byte[16], TestContext.Current.CancellationToken) > 0);
        Assert.Equal(string.Empty, await function.ReadLogAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_IPv6_address_stands_in_brackets()
    {
        Assert.SkipUnless(System.Net.Sockets.Socket.OSSupportsIPv6, "This machine has no IPv6.");
        using var listener = new Http2Listener(address: IPAddress.IPv6Loopback);

        await using RunningFunction function = await Start($"[::1]:{listener.Port}", Patient);

        Assert.Equal("function-a", function.Name);
    }

    [Fact]
    public async Task A_function_goes_on_when_its_handle_is_disposed_of()
    {
        using var listener = new Http2Listener();
        await (await Start($"localhost:{listener.Port}", Patient)).DisposeAsync();

        await using RunningFunction again = await Start($"localhost:{listener.Port}", Patient);

        Assert.Equal("function-a", again.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("[::1]")]
    [InlineData("localhost:")]
    [InlineData("localhost:0")]
    [InlineData("localhost:65536")]
    [InlineData("localhost:http")]
    [InlineData("::1:9443")]
    [InlineData("http://localhost:9443")]
    [InlineData("dns://8.8.8.8/localhost:9443")]
    [InlineData("dns://localhost:9443")]
    [InlineData("unix:")]
    [InlineData("local host:9443")]
    public async Task A_bad_target_is_an_error_that_shows_a_good_one(string target)
    {
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Start(target, Patient));

        Assert.Equal("InvalidDevelopmentTarget", error.ErrorId);
        Assert.Contains("localhost:9443", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_target_that_does_not_answer_is_an_error(bool accepts)
    {
        var listener = new Http2Listener(answers: false);
        int port = listener.Port;
        if (!accepts)
        {
            listener.Dispose();
        }

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Start($"localhost:{port}", Hasty));

        listener.Dispose();
        Assert.Equal("FunctionNotListening", error.ErrorId);
        Assert.Contains($"localhost:{port}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_wait_for_a_function_can_be_cancelled()
    {
        using var listener = new Http2Listener(answers: false);
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Start($"localhost:{listener.Port}", Patient, cancellation.Token));
    }

    private static Task<RunningFunction> Start(string target, RuntimeOptions options, CancellationToken? cancellation = null) =>
        new DevelopmentRuntime(options).StartAsync(new FunctionStart("function-a") { DevelopmentTarget = target }, cancellation ?? TestContext.Current.CancellationToken);
}
