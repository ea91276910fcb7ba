using System.Net;
using System.Net.Sockets;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Engine;

/// <summary>
/// Offers a function on a port of the loopback interface, for a program that can only dial an address. Disposing it closes
/// the port and every connection.
/// </summary>
internal sealed class LoopbackForwarder : IAsyncDisposable
{
    private readonly RunningFunction _function;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _connections = [];
    private readonly Task _accepting;

    /// <summary>Opens the port.</summary>
    public LoopbackForwarder(RunningFunction function)
    {
        _function = function;
        _listener.Start();
        Address = _listener.LocalEndpoint.ToString()!;
        _accepting = AcceptAsync();
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        _listener.Dispose();
        Task[] open;
        lock (_gate)
        {
            open = [.. _connections];
        }

        await Task.WhenAll(open).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                Task connection = ForwardAsync(client);
                lock (_gate)
                {
                    _connections.RemoveWhere(c => c.IsCompleted);
                    _connections.Add(connection);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The port is closed.
        }
    }

    // What fails here the program sees as a broken connection, and tells.
    private async Task ForwardAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            try
            {
                NetworkStream near = client.GetStream();
                Stream far = await _function.ConnectAsync(end.Token).ConfigureAwait(false);
                await using (far.ConfigureAwait(false))
                {
                    Task[] both = [near.CopyToAsync(far, end.Token), far.CopyToAsync(near, end.Token)];
                    await Task.WhenAny(both).ConfigureAwait(false);
                    await end.CancelAsync().ConfigureAwait(false);
                    await Task.WhenAll(both).ConfigureAwait(false);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // One end is gone.
            }
        }
    }
}
