using System.Net;
using System.Net.Sockets;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>A function that listens, or should, on a port of the loopback address.</summary>
internal sealed class LoopbackFunction(string name, int port, string log = "") : RunningFunction(name)
{
    private int _connections;

    /// <summary>How often it was connected to.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public override string Description => $"127.0.0.1:{port}";

    public override async ValueTask<Stream> ConnectAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _connections);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException(e.Message, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override Task<string> ReadLogAsync(CancellationToken cancellation) => Task.FromResult(log);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
