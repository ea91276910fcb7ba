using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FunctionBuild.Core.Runtimes;

/// <summary>The port of functions, and connections to ports.</summary>
internal static class FunctionPort
{
    /// <summary>The port on which every function listens inside its container.</summary>
    public const int Number = 9443;

    /// <summary>Opens a TCP connection.</summary>
    /// <exception cref="IOException">There is no such host, or it does not accept.</exception>
    public static ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellation) =>
        ConnectAsync(new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, socket => socket.ConnectAsync(host, port, cancellation));

    /// <summary>Connects a socket to the functions' port of the loopback address, in the network that the socket belongs to.</summary>
    /// <exception cref="IOException">Nothing listens, or it does not accept.</exception>
    public static ValueTask<Stream> ConnectAsync(Socket socket, CancellationToken cancellation)
    {
        socket.NoDelay = true;
        return ConnectAsync(socket, s => s.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Number), cancellation));
    }

    /// <summary>Opens a connection to a Unix domain socket.</summary>
    /// <exception cref="IOException">Nothing listens there.</exception>
    public static ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation) =>
        ConnectAsync(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), socket => socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation));

    /// <summary>Waits until a function answers.</summary>
    /// <param name="connect">Opens a connection to it.</param>
    /// <param name="options">How long it may take.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Null when it answers; otherwise why it did not until the time was over, and how long that was.</returns>
    public static async Task<string?> WaitAsync(Func<CancellationToken, ValueTask<Stream>> connect, RuntimeOptions options, CancellationToken cancellation)
    {
        long begin = Stopwatch.GetTimestamp();
        string failure = "no connection was opened in that time";
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation, options.ListenLimit);
        time.CancelAfter(options.ListenTime);
        try
        {
            await ReadinessProbe.WaitAsync(ConnectAndRememberAsync, time.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{failure}; it was waited for {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.#} seconds");
        }

        async ValueTask<Stream> ConnectAndRememberAsync(CancellationToken token)
        {
            try
            {
                Stream stream = await connect(token).ConfigureAwait(false);
                failure = "connections are accepted, but HTTP/2 is not answered";
                return stream;
            }
            catch (IOException e)
            {
                failure = e.Message;
                throw;
            }
        }
    }

    private static async ValueTask<Stream> ConnectAsync(Socket socket, Func<Socket, ValueTask> connect)
    {
        try
        {
            await connect(socket).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (e is SocketException)
            {
                throw new IOException(e.Message, e);
            }

            throw;
        }
    }
}
