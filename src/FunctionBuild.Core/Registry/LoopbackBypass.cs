using System.Net;

namespace FunctionBuild.Core.Registry;

/// <summary>The system's proxy settings, but for this machine's own services, which no proxy reaches.</summary>
internal sealed class LoopbackBypass(IWebProxy system) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => system.Credentials;
        set => system.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => HttpExchange.IsLoopback(destination) ? null : system.GetProxy(destination);

    public bool IsBypassed(Uri host) => HttpExchange.IsLoopback(host) || system.IsBypassed(host);
}
