using System.Globalization;
using System.Net;

namespace FunctionHello;

/// <summary>What the command line and the environment ask for.</summary>
/// <param name="Host">The address to listen on; null for every address of the machine.</param>
/// <param name="Port">The TCP port to listen on.</param>
/// <param name="CertificatesFolder">The folder of tls.crt, tls.key and ca.crt; null to serve without TLS.</param>
internal sealed record ServerOptions(IPAddress? Host, int Port, string? CertificatesFolder)
{
    public const string Usage =
        "usage: function-hello [--address HOST:PORT] (--insecure | --tls-server-certs-dir FOLDER)";

    /// <summary>The variable in which Crossplane names the certificates' folder.</summary>
    public const string CertificatesVariable = "TLS_SERVER_CERTS_DIR";

    private const string DefaultAddress = ":9443";

    /// <exception cref="OptionException">The arguments don't say clearly what to do.</exception>
    public static ServerOptions Parse(IReadOnlyList<string> arguments, string? certificatesFolder)
    {
        var address = DefaultAddress;
        var insecure = false;
        for (var i = 0; i < arguments.Count; i++)
        {
            var parts = arguments[i].Split('=', 2);
            switch (parts[0])
            {
                case "--insecure" when parts.Length == 1:
                    insecure = true;
                    break;
                case "--address":
                    address = ValueOf(parts, arguments, ref i);
                    break;
                case "--tls-server-certs-dir":
                    certificatesFolder = ValueOf(parts, arguments, ref i);
                    break;
                default:
                    throw new OptionException($"unknown argument '{arguments[i]}'");
            }
        }
        if (!insecure && string.IsNullOrEmpty(certificatesFolder))
        {
            throw new OptionException(
                $"no certificates: set {CertificatesVariable} or --tls-server-certs-dir to a folder with tls.crt, tls.key and ca.crt, or pass --insecure to serve without TLS");
        }
        var (host, port) = ParseAddress(address);
        return new ServerOptions(host, port, insecure ? null : certificatesFolder);
    }

    private static string ValueOf(string[] parts, IReadOnlyList<string> arguments, ref int index)
    {
        if (parts.Length == 2)
        {
            return parts[1];
        }
        return ++index < arguments.Count ? arguments[index] : throw new OptionException($"{parts[0]} needs a value");
    }

    private static (IPAddress? Host, int Port) ParseAddress(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon >= 0 && ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            var host = address[..colon];
            if (host.Length == 0)
            {
                return (null, port);
            }
            if (IPAddress.TryParse(host, out var parsed))
            {
                return (parsed, port);
            }
        }
        throw new OptionException($"--address '{address}' is not HOST:PORT, with an IP address ([::1] for IPv6) or nothing as HOST");
    }
}
