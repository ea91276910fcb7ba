using System.Globalization;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// A function's network namespace inside a user namespace, for a caller who is not root: only a process of one thread
/// can enter it. So each connection is a small process there, which passes on what it is given on its standard input.
/// </summary>
internal sealed class NamespaceRelay : IFunctionNetwork
{
    private readonly string _enter;
    private readonly string _shell;
    private readonly int _process;

    /// <param name="process">The id of a process in the namespaces.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>NamespaceToolMissing</c>.</exception>
    public NamespaceRelay(int process)
    {
        _process = process;
        _enter = Find("nsenter", "util-linux");
        _shell = Find("bash", "bash");
    }

    /// <summary>Makes sure that connections can be opened, before anything is started.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>NamespaceToolMissing</c>.</exception>
    public static void Check() => new NamespaceRelay(0).Dispose();

    public ValueTask<Stream> ConnectAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        string relay = string.Create(CultureInfo.InvariantCulture, $"exec 3<>/dev/tcp/127.0.0.1/{FunctionPort.Number} || exit 1; cat <&3 & exec cat >&3");
        string target = _process.ToString(CultureInfo.InvariantCulture);
        return ValueTask.FromResult<Stream>(new ProcessStream(_enter, ["--target", target, "--user", "--net", "--preserve-credentials", _shell, "-c", relay]));
    }

    public void Dispose()
    {
    }

    private static string Find(string program, string package) => SearchPath.Find(program)
        ?? throw new FunctionBuildException(
            "NamespaceToolMissing",
            FaultKind.NotFound,
            $"Without root, a function in a network of its own is reached through '{program}', which is not on the PATH. Install the package {package}, run as root, or use the machine's network (-HostNetwork).",
            program);
}
