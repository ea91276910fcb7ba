using System.Net;
using System.Net.Sockets;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>Where functions listen.</summary>
internal static class Loopback
{
    /// <summary>The port of functions.</summary>
    public const int Port = 9443;

    /// <summary>Connects a socket to it, in the network that the socket belongs to.</summary>
    /// <exception cref="IOException">Nothing listens, or it does not accept.</exception>
    public static async ValueTask<Stream> ConnectAsync(Socket socket, CancellationToken cancellation)
    {
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (e is SocketException)
            {
                throw new IOException($"Port {Port} does not accept connections: {e.Message}", e);
            }

            throw;
        }
    }
}
