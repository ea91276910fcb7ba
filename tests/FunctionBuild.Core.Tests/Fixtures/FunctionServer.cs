using System.Collections.Concurrent;
using System.Net;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>A composition function within the test's process: gRPC in plain text on a free port of the loopback address.</summary>
internal sealed class FunctionServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _calls = new();
    private readonly ConcurrentQueue<RunFunctionRequest> _requests = new();
    private readonly FunctionAnswer _answer;
    private WebApplication? _app;

    private FunctionServer(FunctionAnswer answer) => _answer = answer;

    /// <summary>The services that were called, in order, also those that are not served: <c>apiextensions.fn.proto.v1.FunctionRunnerService</c>.</summary>
    public IReadOnlyList<string> Calls => [.. _calls];

    /// <summary>What it was given, in order.</summary>
    public IReadOnlyList<RunFunctionRequest> Requests => [.. _requests];

    public int Port { get; private set; }

    /// <summary>Starts a function.</summary>
    public static Task<FunctionServer> Start(Func<RunFunctionRequest, RunFunctionResponse> answer, FunctionVersions versions = FunctionVersions.V1) =>
        Start((request, _) => Task.FromResult(answer(request)), versions);

    /// <summary>Starts a function that needs more than the request.</summary>
    public static async Task<FunctionServer> Start(FunctionAnswer answer, FunctionVersions versions = FunctionVersions.V1)
    {
        var server = new FunctionServer(answer);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton(server);
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = null);
        WebApplication app = builder.Build();
        app.Use((context, next) =>
        {
            server._calls.Enqueue(context.Request.Path.Value!.Split('/')[1]);
            return next(context);
        });
        if (versions.HasFlag(FunctionVersions.V1))
        {
            app.MapGrpcService<Current>();
        }

        if (versions.HasFlag(FunctionVersions.V1Beta1))
        {
            app.MapGrpcService<Older>();
        }

        server._app = app;
        await app.StartAsync(TestContext.Current.CancellationToken);
        server.Port = new Uri(app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        return server;
    }

    /// <summary>The function as a runtime would have started it. Its disposal does not end this server.</summary>
    public RunningFunction Running(string name, string log = "") => new LoopbackFunction(name, Port, log);

    public async ValueTask DisposeAsync()
    {
        // A function that hangs is not waited for.
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app!.StopAsync(stop.Token);
        await _app.DisposeAsync();
    }

    private Task<RunFunctionResponse> Serve(RunFunctionRequest request, ServerCallContext context)
    {
        _requests.Enqueue(request);
        return _answer(request, context);
    }

    private sealed class Current(FunctionServer server) : FunctionRunnerService.FunctionRunnerServiceBase
    {
        public override Task<RunFunctionResponse> RunFunction(RunFunctionRequest request, ServerCallContext context) => server.Serve(request, context);
    }

    private sealed class Older(FunctionServer server) : V1Beta1Service
    {
        public override Task<RunFunctionResponse> RunFunction(RunFunctionRequest request, ServerCallContext context) => server.Serve(request, context);
    }
}
