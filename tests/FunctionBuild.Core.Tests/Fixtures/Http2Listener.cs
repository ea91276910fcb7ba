using System.Net;
using System.Net.Sockets;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Listens on a free port of the loopback address and answers HTTP/2's preface, which is all that readiness asks for.</summary>
internal sealed class Http2Listener : IDisposable
{
    private static readonly byte[] Settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    private readonly TcpListener _listener;
    private readonly bool _answers;

    /// <param name="answers">Whether it answers, rather than accept and say nothing.</param>
    /// <param name="address">Where it listens; 127.0.0.1 when not given.</param>
    public Http2Listener(bool answers = true, IPAddress? address = null)
    {
        _answers = answers;
        _listener = new TcpListener(address ?? IPAddress.Loopback, 0);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync();
                _ = AnswerAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                byte[] buffer = new byte[256];
                while (await stream.ReadAsync(buffer) > 0)
                {
                    if (_answers)
                    {
                        await stream.WriteAsync(Settings);
                    }
                }
            }
            catch (IOException)
            {
                // The other side has what it wanted.
            }
        }
    }
}
