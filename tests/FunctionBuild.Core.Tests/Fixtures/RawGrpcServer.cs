using System.Buffers.Binary;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Answers every gRPC call well, but with the bytes that a test asks for in the place of a message.</summary>
internal sealed class RawGrpcServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RawGrpcServer(WebApplication app) => _app = app;

    public int Port { get; private set; }

    public static async Task<RawGrpcServer> Start(byte[] message, string contentType = "application/grpc", bool hasStatus = true)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        WebApplication app = builder.Build();
        app.Run(async context =>
        {
            byte[] prefix = new byte[5];
            BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), message.Length);
            context.Response.ContentType = contentType;
            await context.Response.Body.WriteAsync(prefix);
            await context.Response.Body.WriteAsync(message);
            if (hasStatus)
            {
                context.Response.AppendTrailer("grpc-status", "0");
            }
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new RawGrpcServer(app)
        {
            Port = new Uri(app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
                .Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port,
        };
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
