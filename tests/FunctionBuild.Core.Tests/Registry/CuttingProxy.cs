using System.Net;
using System.Net.Sockets;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>Passes connections on to a server, and breaks the first one off that has carried so many bytes to it.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _server;
    private readonly long _cutAfter;
    private int _cuts;
    private Task _accepting = Task.CompletedTask;

    private CuttingProxy(string server, long cutAfter)
    {
        _server = IPEndPoint.Parse(server);
        _cutAfter = cutAfter;
    }

    /// <summary>Host and port.</summary>
    public string Host => _listener.LocalEndpoint.ToString()!;

    public bool WasCut => Volatile.Read(ref _cuts) > 0;

    public static CuttingProxy Start(string server, long cutAfter)
    {
        var proxy = new CuttingProxy(server, cutAfter);
        proxy._listener.Start();
        proxy._accepting = proxy.Accept();
        return proxy;
    }

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
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_server, _stop.Token);
                await Task.WhenAny(Forward(client, server), server.GetStream().CopyToAsync(client.GetStream(), _stop.Token));
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
                // Either side has closed; so does the other.
            }
        }
    }

    private async Task Forward(TcpClient client, TcpClient server)
    {
        byte[] buffer = new byte[4096];
        long carried = 0;
        int read;
        while ((read = await client.GetStream().ReadAsync(buffer, _stop.Token)) > 0)
        {
            await server.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            carried += read;
            if (carried > _cutAfter && Interlocked.Increment(ref _cuts) == 1)
            {
                return;
            }
        }
    }
}
