using FunctionHello;
using Microsoft.AspNetCore.Server.Kestrel.Core;

try
{
    var options = ServerOptions.Parse(args, Environment.GetEnvironmentVariable(ServerOptions.CertificatesVariable));
    await using var server = CreateServer(options);
    await server.RunAsync();
    return 0;
}
catch (OptionException e)
{
    await Console.Error.WriteLineAsync($"function-hello: {e.Message}\n{ServerOptions.Usage}");
    return 2;
}

static WebApplication CreateServer(ServerOptions options)
{
    var tls = options.CertificatesFolder is { } folder ? MutualTls.Load(folder) : null;
    var builder = WebApplication.CreateSlimBuilder();
    builder.Services.AddGrpc();
    builder.WebHost.UseKestrelHttpsConfiguration();
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        if (options.Host is { } host)
        {
            kestrel.Listen(host, options.Port, Configure);
        }
        else
        {
            kestrel.ListenAnyIP(options.Port, Configure);
        }
    });
    var server = builder.Build();
    server.MapGrpcService<RunnerV1>();
    server.MapGrpcService<RunnerV1Beta1>();
    return server;

    void Configure(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http2;
        if (tls is not null)
        {
            listen.UseHttps(tls);
        }
    }
}
