using System.Net;
using System.Net.Sockets;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Listens on a free port of the loopback address and does with each connection what a test asks for, then closes it.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<NetworkStream, CancellationToken, Task> _serve;
    private Task _accepting = Task.CompletedTask;

    private RawServer(Func<NetworkStream, CancellationToken, Task> serve) => _serve = serve;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public static RawServer Start(Func<NetworkStream, CancellationToken, Task> serve)
    {
        var server = new RawServer(serve);
        server._listener.Start();
        server._accepting = server.Accept();
        return server;
    }

    /// <summary>A server that says the same to everyone at once.</summary>
    public static RawServer Start(byte[] greeting) => Start(async (stream, stop) =>
    {
        await stream.WriteAsync(greeting, stop);
        byte[] ignored = new byte[1024];
        while (await stream.ReadAsync(ignored, stop) > 0)
        {
        }
    });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task Accept()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(Serve(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _serve(client.GetStream(), _stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client, or the test, has ended.
            }
        }
    }
}
