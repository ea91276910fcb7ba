using System.Net.Sockets;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>The machine's own network, in which one function at a time can listen.</summary>
internal sealed class HostNetwork : IFunctionNetwork
{
    private static int IsTaken;
    private int _isDisposed;

    private HostNetwork()
    {
    }

    /// <summary>Takes the functions' port, which nobody else may listen on.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>HostPortInUse</c>.</exception>
    public static async Task<HostNetwork> TakeAsync(string function, CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref IsTaken, 1) != 0)
        {
            throw InUse(function, "another function of this session");
        }

        var network = new HostNetwork();
        try
        {
            (await network.ConnectAsync(cancellation).ConfigureAwait(false)).Dispose();
        }
        catch (IOException)
        {
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }

        network.Dispose();
        throw InUse(function, "another program");
    }

    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellation) =>
        await FunctionPort.ConnectAsync(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), cancellation).ConfigureAwait(false);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Interlocked.Exchange(ref IsTaken, 0);
        }
    }

    private static FunctionBuildException InUse(string function, string holder) => new(
        "HostPortInUse",
        FaultKind.AlreadyExists,
        $"Function '{function}' cannot have port {FunctionPort.Number} of this machine: {holder} listens on it. Give functions networks of their own, which is what they have without -HostNetwork, or end what listens there.",
        function);
}
