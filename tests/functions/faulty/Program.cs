using FunctionFaulty;
using Microsoft.AspNetCore.Server.Kestrel.Core;

const int Port = 9443;

string fault = Environment.GetEnvironmentVariable("FAULT") ?? string.Empty;
Console.WriteLine($"function-faulty starts, with the fault '{fault}'");
switch (fault)
{
    case "exits":
        await Console.Error.WriteLineAsync("function-faulty: there is no database");
        return 3;
    case "never-listens":
        await Task.Delay(Timeout.Infinite);
        return 0;
    default:
        await using (WebApplication server = CreateServer())
        {
            await server.RunAsync();
        }

        return 0;
}

WebApplication CreateServer()
{
    WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
    builder.Logging.ClearProviders();
    builder.Services.AddGrpc();

    // Trimmed, Kestrel reads its configuration only with what this refers to.
    builder.WebHost.UseKestrelHttpsConfiguration();
    builder.WebHost.ConfigureKestrel(kestrel =>
        kestrel.ListenAnyIP(Port, listen => listen.Protocols = fault == "speaks-http1" ? HttpProtocols.Http1 : HttpProtocols.Http2));
    WebApplication server = builder.Build();
    if (fault == "answers-garbage")
    {
        server.Map("/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction", Garbage.AnswerAsync);
    }
    else
    {
        server.MapGrpcService<FaultyRunner>();
    }

    return server;
}
