using System.Globalization;

namespace FunctionBuild.Core.Runtimes.Development;

/// <summary>
/// Where a function listens already, in the forms of gRPC's targets (gRPC Name Resolution): <c>host:port</c>,
/// <c>[v6]:port</c>, <c>:port</c>, <c>dns:host:port</c>, <c>dns:///host:port</c>, <c>passthrough:///host:port</c>,
/// <c>unix:path</c> and <c>unix:///path</c>.
/// </summary>
internal sealed record DevelopmentTarget
{
    /// <summary>The target of those who name none.</summary>
    public const string Default = "localhost:9443";

    private const string Dns = "dns:";
    private const string Passthrough = "passthrough:";
    private const string Unix = "unix:";
    private readonly string _host;
    private readonly int _port;

    private DevelopmentTarget(string text, string host, int port) => (Text, _host, _port) = (text, host, port);

    /// <summary>The target as it was given.</summary>
    public string Text { get; }

    /// <summary>Parses a target.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidDevelopmentTarget</c>.</exception>
    public static DevelopmentTarget Parse(string text, string function)
    {
        if (text.StartsWith(Unix, StringComparison.Ordinal))
        {
            string path = text[Unix.Length..];
            path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] : path;
            return path.Length > 0 ? new DevelopmentTarget(text, path, -1) : throw Invalid("it names no socket");
        }

        string address = text;
        foreach (string scheme in (string[])[Dns, Passthrough])
        {
            if (text.StartsWith(scheme, StringComparison.Ordinal))
            {
                address = text[scheme.Length..];
                if (address.StartsWith("//", StringComparison.Ordinal))
                {
                    int slash = address.IndexOf('/', 2);
                    address = slash == 2 ? address[3..] : throw Invalid($"a name server cannot be named; write {scheme}///host:port");
                }

                break;
            }
        }

        int colon = address.LastIndexOf(':');
        if (colon < 0 || address.EndsWith(']'))
        {
            throw Invalid("it names no port");
        }

        string host = address[..colon];
        if (!ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
        {
            throw Invalid($"'{address[(colon + 1)..]}' is not a port");
        }

        if (host is ['[', .. string v6, ']'])
        {
            host = v6;
        }
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            throw Invalid("an IPv6 address stands in brackets, and only dns, passthrough and unix are known before it");
        }

        host = host.Length == 0 ? "localhost" : host;
        return Uri.CheckHostName(host) == UriHostNameType.Unknown
            ? throw Invalid($"'{host}' is not the name or the address of a host")
            : new DevelopmentTarget(text, host, port);

        FunctionBuildException Invalid(string problem) => new(
            "InvalidDevelopmentTarget",
            FaultKind.InvalidArgument,
            $"The development target '{text}' of function '{function}' cannot be used: {problem}. Expected host:port, such as {Default}, [::1]:9443 or dns:///host:9443.",
            text);
    }

    /// <summary>Opens a connection.</summary>
    /// <exception cref="IOException">Nothing listens there.</exception>
    public ValueTask<Stream> ConnectAsync(CancellationToken cancellation) => _port < 0
        ? FunctionPort.ConnectAsync(_host, cancellation)
        : FunctionPort.ConnectAsync(_host, _port, cancellation);
}
