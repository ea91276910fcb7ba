using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FunctionBuild.Tests.Host;

/// <summary>An HTTP proxy on the loopback address that makes tunnels (<c>CONNECT</c>) and keeps account of where they lead.</summary>
internal sealed class TunnelProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _targets = new();
    private Task _accepting = Task.CompletedTask;

    /// <summary>Where it listens, as environment variables name it.</summary>
    public string Address => $"http://{_listener.LocalEndpoint}";

    /// <summary>Host and port of each tunnel.</summary>
    public IReadOnlyList<string> Targets => [.. _targets];

    public static TunnelProxy Start()
    {
        var proxy = new TunnelProxy();
        proxy._listener.Start();
        proxy._accepting = proxy.Accept();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
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
                string target = (await ReadHead(client.GetStream())).Split(' ')[1];
                _targets.Enqueue(target);
                await server.ConnectAsync(IPEndPoint.Parse(target), _stop.Token);
                await client.GetStream().WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), _stop.Token);
                await Task.WhenAny(
                    client.GetStream().CopyToAsync(server.GetStream(), _stop.Token),
                    server.GetStream().CopyToAsync(client.GetStream(), _stop.Token));
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
                // Either side has closed; so does the other.
            }
        }
    }

    private async Task<string> ReadHead(NetworkStream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, _stop.Token);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
