using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>A function's network namespace, into which root can reach.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NetworkNamespace : IFunctionNetwork
{
    private static readonly Lazy<bool> Prepared = new(Prepare);

    private readonly SafeFileHandle _namespace;

    /// <param name="process">The id of a process in it.</param>
    /// <exception cref="IOException">There is no such process.</exception>
    public NetworkNamespace(int process)
    {
        _ = Prepared.Value;
        _namespace = Posix.OpenPath($"/proc/{process}/ns/net") ?? throw Posix.Failure($"The network of process {process} cannot be opened");
        using Socket socket = Open(_namespace);

        // Not every runtime does.
        if (!Posix.BringLoopbackUp(socket.SafeHandle))
        {
            IOException failure = Posix.Failure("The loopback interface cannot be brought up");
            _namespace.Dispose();
            throw failure;
        }
    }

    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellation) =>
        await FunctionPort.ConnectAsync(Open(_namespace), cancellation).ConfigureAwait(false);

    public void Dispose() => _namespace.Dispose();

    /// <summary>
    /// Opens a socket in a namespace, to which it belongs from then on, whoever uses it. A thread of its own goes there
    /// for that moment: one of the pool's might not find its way back, and threads that it started would stay there.
    /// </summary>
    private static Socket Open(SafeFileHandle target)
    {
        Socket? socket = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                socket = OpenHere(target);
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw new IOException($"The function's network cannot be reached: {failure!.Message}", failure);
    }

    private static Socket OpenHere(SafeFileHandle target)
    {
        using SafeFileHandle home = Posix.OpenPath("/proc/thread-self/ns/net") ?? throw Posix.Failure("The machine's network cannot be opened");
        if (!Posix.EnterNetwork(target))
        {
            throw Posix.Failure("The function's network cannot be entered");
        }

        int socket = Posix.OpenSocket();
        IOException? failure = socket < 0 ? Posix.Failure("No socket can be opened in the function's network") : null;
        Posix.EnterNetwork(home);
        return failure is null ? new Socket(new SafeSocketHandle(socket, ownsHandle: true)) : throw failure;
    }

    // Compiles what runs inside another network, so that the runtime has no cause to start a thread there.
    private static bool Prepare()
    {
        using SafeFileHandle own = Posix.OpenPath("/proc/self/ns/net") ?? throw Posix.Failure("The machine's network cannot be opened");
        Open(own).Dispose();
        return true;
    }
}
