using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Tests.Fixtures;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Status = Grpc.Core.Status;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

public sealed class FunctionClientTests
{
    private const string V1 = "apiextensions.fn.proto.v1.FunctionRunnerService";
    private const string V1Beta1 = "apiextensions.fn.proto.v1beta1.FunctionRunnerService";

    private static readonly TimeSpan Ample = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_function_is_given_the_request_and_its_answer_comes_back()
    {
        await using FunctionServer server = await FunctionServer.Start(request => new RunFunctionResponse
        {
            Meta = new ResponseMeta { Tag = request.Meta.Tag },
            Context = request.Context,
            Results = { new Result { Severity = Severity.Normal, Message = "I was called" } },
        });
        var request = new RunFunctionRequest { Meta = new RequestMeta { Tag = "t" }, Context = Of("colour", "green") };

        RunFunctionResponse response = await Call(server, request);

        Assert.Equal("t", response.Meta.Tag);
        Assert.Equal("green", response.Context.Fields["colour"].StringValue);
        Assert.Equal("I was called", Assert.Single(response.Results).Message);
        Assert.Equal(request, Assert.Single(server.Requests));
        Assert.Equal([V1], server.Calls);
    }

    [Fact]
    public async Task Version_1_is_called_where_both_are_served()
    {
        await using FunctionServer server = await FunctionServer.Start(_ => new RunFunctionResponse(), FunctionVersions.V1 | FunctionVersions.V1Beta1);

        await Call(server, new RunFunctionRequest());

        Assert.Equal([V1], server.Calls);
    }

    [Fact]
    public async Task An_older_function_is_called_by_its_version_and_not_asked_again_for_version_1()
    {
        await using FunctionServer server = await FunctionServer.Start(request => new RunFunctionResponse { Context = request.Context }, FunctionVersions.V1Beta1);
        await using var function = new LoopbackFunction("old", server.Port);
        await using var client = new FunctionClient([function]);

        for (int i = 0; i < 3; i++)
        {
            RunFunctionResponse response = await client.CallAsync("old", new RunFunctionRequest { Context = Of("call", $"{i}") }, Cancellation);
            Assert.Equal($"{i}", response.Context.Fields["call"].StringValue);
        }

        Assert.Equal([V1, V1Beta1, V1Beta1, V1Beta1], server.Calls);
        Assert.Equal(1, function.Connections);
    }

    [Fact]
    public async Task Functions_are_called_at_the_same_time_each_by_one_connection()
    {
        const int Calls = 8;
        int missing = 2 * Calls;
        var allAreHere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        FunctionAnswer answer = async (request, context) =>
        {
            if (Interlocked.Decrement(ref missing) == 0)
            {
                allAreHere.SetResult();
            }

            await allAreHere.Task.WaitAsync(context.CancellationToken);
            return new RunFunctionResponse { Meta = new ResponseMeta { Tag = request.Meta.Tag } };
        };
        await using FunctionServer one = await FunctionServer.Start(answer);
        await using FunctionServer other = await FunctionServer.Start(answer, FunctionVersions.V1Beta1);
        await using var first = new LoopbackFunction("one", one.Port);
        await using var second = new LoopbackFunction("other", other.Port);
        await using var client = new FunctionClient([first, second]);

        RunFunctionResponse[] responses = await Task.WhenAll(Enumerable.Range(0, 2 * Calls).Select(i => client.CallAsync(
            i % 2 == 0 ? "one" : "other", new RunFunctionRequest { Meta = new RequestMeta { Tag = $"{i}" } }, Cancellation))).WaitAsync(Ample, Cancellation);

        Assert.Equal(Enumerable.Range(0, 2 * Calls).Select(i => $"{i}"), responses.Select(response => response.Meta.Tag));
        Assert.Equal(Calls, one.Requests.Count);
        Assert.Equal(Calls, other.Requests.Count);
        Assert.Equal((1, 1), (first.Connections, second.Connections));
    }

    [Fact]
    public async Task A_server_of_neither_version_is_an_error()
    {
        await using FunctionServer server = await FunctionServer.Start(_ => new RunFunctionResponse(), FunctionVersions.None);

        FunctionBuildException e = await Failure(server.Running("other"));

        Assert.Equal("FunctionProtocolUnsupported", e.ErrorId);
        Assert.Equal([V1, V1Beta1], server.Calls);
        Assert.Contains("v1beta1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_function_is_an_error_that_says_which_there_are()
    {
        await using var one = new LoopbackFunction("function-b", 1);
        await using var two = new LoopbackFunction("function-a", 1);
        await using var client = new FunctionClient([one, two]);

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => client.CallAsync("function-c", new RunFunctionRequest(), Cancellation));

        Assert.Equal("FunctionNotFound", e.ErrorId);
        Assert.Equal("function-c", e.TargetObject);
        Assert.Contains("function-a, function-b", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, one.Connections);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.Unknown)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.PermissionDenied)]
    [InlineData(StatusCode.ResourceExhausted)]
    [InlineData(StatusCode.Cancelled)]
    [InlineData(StatusCode.DeadlineExceeded)]
    public async Task A_function_that_fails_is_an_error_with_its_status_its_detail_and_its_log(StatusCode code)
    {
        await using FunctionServer server = await FunctionServer.Start((_, _) => throw new RpcException(new Status(code, "the input has no colour")));

        FunctionBuildException e = await Failure(server.Running("function-a", "Traceback: line 7\n"));

        Assert.Equal("FunctionCallFailed", e.ErrorId);
        Assert.Equal("function-a", e.TargetObject);
        Assert.Contains("function-a", e.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{server.Port}", e.Message, StringComparison.Ordinal);
        Assert.Contains($"{code}: the input has no colour", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("Traceback: line 7", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_says_it_is_unavailable_is_unavailable()
    {
        await using FunctionServer server = await FunctionServer.Start((_, _) => throw new RpcException(new Status(StatusCode.Unavailable, "back soon")));

        FunctionBuildException e = await Failure(server.Running("function-a"));

        Assert.Equal("FunctionUnavailable", e.ErrorId);
        Assert.Contains("back soon", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("log", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_below_the_limit_comes_back_and_one_above_it_is_an_error()
    {
        int size = 64 * 1024 * 1024;
        await using FunctionServer server = await FunctionServer.Start(_ => Large(size));

        FunctionBuildException e = await Failure(server.Running("function-a"));
        size = 4 * 1024 * 1024 - 1024;
        RunFunctionResponse response = await Call(server, new RunFunctionRequest());

        Assert.Equal("FunctionAnswerTooLarge", e.ErrorId);
        Assert.Equal(FaultKind.LimitExceeded, e.Kind);
        Assert.Contains("4 MiB", e.Message, StringComparison.Ordinal);
        Assert.Equal(size, response.Results[0].Message.Length);
    }

    [Fact]
    public async Task A_request_may_be_large()
    {
        await using FunctionServer server = await FunctionServer.Start(request => new RunFunctionResponse { Meta = new ResponseMeta { Tag = $"{request.Context.Fields["text"].StringValue.Length}" } });

        RunFunctionResponse response = await Call(server, new RunFunctionRequest { Context = Of("text", new string('a', 8_000_000)) });

        Assert.Equal("8000000", response.Meta.Tag);
    }

    [Fact]
    public async Task A_function_that_hangs_is_left_when_the_call_is_cancelled()
    {
        var entered = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        await using FunctionServer server = await FunctionServer.Start(async (_, context) =>
        {
            entered.SetResult();
            await using CancellationTokenRegistration leaves = context.CancellationToken.Register(left.SetResult);
            await left.Task;
            return new RunFunctionResponse();
        });
        await using RunningFunction function = server.Running("function-a");
        await using var client = new FunctionClient([function]);
        using var stop = new CancellationTokenSource();

        Task<RunFunctionResponse> call = client.CallAsync("function-a", new RunFunctionRequest(), stop.Token);
        await entered.Task.WaitAsync(Ample, Cancellation);
        await stop.CancelAsync();

        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Ample, Cancellation));
        Assert.Equal(stop.Token, e.CancellationToken);
        await left.Task.WaitAsync(Ample, Cancellation);
    }

    [Fact]
    public async Task A_function_that_hangs_is_an_error_when_a_call_takes_too_long()
    {
        await using FunctionServer server = await FunctionServer.Start(async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return new RunFunctionResponse();
        });
        await using RunningFunction function = server.Running("function-a", "waiting for the moon");
        await using var client = new FunctionClient([function], TimeSpan.FromSeconds(0.5));

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(
            () => client.CallAsync("function-a", new RunFunctionRequest(), Cancellation).WaitAsync(Ample, Cancellation));

        Assert.Equal("FunctionTimeout", e.ErrorId);
        Assert.Contains("0.5 seconds", e.Message, StringComparison.Ordinal);
        Assert.Contains("waiting for the moon", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_is_an_error_when_the_call_takes_too_long()
    {
        await using RawServer server = RawServer.Start([]);
        await using var function = new LoopbackFunction("function-a", server.Port);
        await using var client = new FunctionClient([function], TimeSpan.FromSeconds(0.5));

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(
            () => client.CallAsync("function-a", new RunFunctionRequest(), Cancellation).WaitAsync(Ample, Cancellation));

        Assert.Equal("FunctionTimeout", e.ErrorId);
    }

    [Fact]
    public async Task A_function_that_does_not_listen_is_unavailable_and_its_log_is_shown()
    {
        RawServer server = RawServer.Start([]);
        int port = server.Port;
        await server.DisposeAsync();

        FunctionBuildException e = await Failure(new LoopbackFunction("function-a", port, "panic: no memory"));

        Assert.Equal("FunctionUnavailable", e.ErrorId);
        Assert.Equal(FaultKind.Connection, e.Kind);
        Assert.Contains("panic: no memory", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_ends_during_the_call_is_unavailable()
    {
        await using FunctionServer server = await FunctionServer.Start(async (_, context) =>
        {
            context.GetHttpContext().Features.Get<IConnectionLifetimeFeature>()!.Abort();
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return new RunFunctionResponse();
        });

        FunctionBuildException e = await Failure(server.Running("function-a", "killed"));

        Assert.Equal("FunctionUnavailable", e.ErrorId);
        Assert.Contains("killed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_resets_the_stream_is_unavailable()
    {
        await using FunctionServer server = await FunctionServer.Start((_, context) =>
        {
            context.GetHttpContext().Abort();
            return Task.FromResult(new RunFunctionResponse());
        });

        FunctionBuildException e = await Failure(server.Running("function-a"));

        Assert.Equal("FunctionUnavailable", e.ErrorId);
    }

    [Fact]
    public async Task A_connection_that_is_closed_at_once_is_unavailable()
    {
        await using RawServer server = RawServer.Start((_, _) => Task.CompletedTask);

        FunctionBuildException e = await Failure(new LoopbackFunction("function-a", server.Port));

        Assert.Equal("FunctionUnavailable", e.ErrorId);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "'HTTP/1.1 …'")]
    [InlineData("SSH-2.0-OpenSSH_9.9\r\n", "'SSH-2.0-O…'")]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0046", "with TLS")]
    [InlineData("\u00ff\u00fe\u00fd\u00fc\u00fb\u00fa\u00f9\u00f8\u00f7", "fffefdfcfbfaf9f8f7")]
    public async Task A_server_that_speaks_something_else_is_an_error_that_says_so(string greeting, string said)
    {
        await using RawServer server = RawServer.Start([.. greeting.Select(c => (byte)c), .. new byte[64]]);

        FunctionBuildException e = await Failure(new LoopbackFunction("function-a", server.Port));

        Assert.Equal("FunctionAnswerInvalid", e.ErrorId);
        Assert.Contains("--insecure", e.Message, StringComparison.Ordinal);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/html", true)]
    [InlineData("application/grpc", false)]
    public async Task A_server_that_speaks_HTTP_but_not_gRPC_is_an_error(string contentType, bool hasStatus)
    {
        await using RawGrpcServer server = await RawGrpcServer.Start([], contentType, hasStatus);

        FunctionBuildException e = await Failure(new LoopbackFunction("function-a", server.Port));

        Assert.Equal("FunctionAnswerInvalid", e.ErrorId);
    }

    [Fact]
    public async Task An_answer_that_is_no_message_is_an_error()
    {
        await using RawGrpcServer server = await RawGrpcServer.Start([0xff, 0xff, 0xff, 0xff, 0xff]);

        FunctionBuildException e = await Failure(new LoopbackFunction("function-a", server.Port));

        Assert.Equal("FunctionAnswerInvalid", e.ErrorId);
        Assert.Contains("RunFunctionResponse", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_nested_without_end_is_an_error()
    {
        var deep = new Struct();
        for (int i = 0; i < StructConverter.MaxDepth * 2; i++)
        {
            deep = new Struct { Fields = { ["a"] = Value.ForStruct(deep) } };
        }

        await using RawGrpcServer server = await RawGrpcServer.Start(new RunFunctionResponse { Context = deep }.ToByteArray());

        FunctionBuildException e = await Failure(new LoopbackFunction("function-a", server.Port));

        Assert.Equal("FunctionAnswerInvalid", e.ErrorId);
        Assert.Contains("nesting)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deep_answer_comes_back()
    {
        var deep = new Struct();
        for (int i = 1; i < StructConverter.MaxDepth; i++)
        {
            deep = new Struct { Fields = { ["a"] = Value.ForStruct(deep) } };
        }

        var answer = new RunFunctionResponse { Desired = new State { Resources = { ["deep"] = new Resource { Resource_ = deep } } } };
        await using RawGrpcServer server = await RawGrpcServer.Start(answer.ToByteArray());
        await using var function = new LoopbackFunction("function-a", server.Port);
        await using var client = new FunctionClient([function]);

        RunFunctionResponse response = await client.CallAsync("function-a", new RunFunctionRequest(), Cancellation);

        Assert.NotNull(StructConverter.ToObject(response.Desired.Resources["deep"].Resource_));
    }

    [Fact]
    public async Task A_log_that_cannot_be_read_does_not_hide_the_error()
    {
        await using var function = new SilentFunction();

        FunctionBuildException e = await Failure(function);

        Assert.Equal("FunctionUnavailable", e.ErrorId);
        Assert.Contains("the disk is gone", e.Message, StringComparison.Ordinal);
    }

    private static async Task<RunFunctionResponse> Call(FunctionServer server, RunFunctionRequest request)
    {
        await using RunningFunction function = server.Running("function-a");
        await using var client = new FunctionClient([function]);
        return await client.CallAsync("function-a", request, Cancellation).WaitAsync(Ample, Cancellation);
    }

    private static async Task<FunctionBuildException> Failure(RunningFunction function)
    {
        await using var client = new FunctionClient([function]);
        return await Assert.ThrowsAsync<FunctionBuildException>(
            () => client.CallAsync(function.Name, new RunFunctionRequest(), Cancellation).WaitAsync(Ample, Cancellation));
    }

    private static RunFunctionResponse Large(int size) => new() { Results = { new Result { Message = new string('a', size) } } };

    private static Struct Of(string key, string value) => new() { Fields = { [key] = Value.ForString(value) } };

    private sealed class SilentFunction() : RunningFunction("silent")
    {
        public override string Description => "nowhere";

        public override ValueTask<Stream> ConnectAsync(CancellationToken cancellation) => throw new IOException("refused");

        public override Task<string> ReadLogAsync(CancellationToken cancellation) => throw new IOException("the disk is gone");

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
