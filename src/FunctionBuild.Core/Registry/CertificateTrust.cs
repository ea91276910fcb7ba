using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace FunctionBuild.Core.Registry;

/// <summary>Decides which servers' certificates are trusted, and remembers why one was not.</summary>
internal sealed class CertificateTrust(RegistryOptions options)
{
    private readonly ConcurrentDictionary<string, string> _refusals = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Why the certificate of a host was refused; null when it was not.</summary>
    public string? RefusalOf(string host) => _refusals.GetValueOrDefault(HostOnly(host));

    /// <summary>The handler's callback.</summary>
    public bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || options.SkipCertificateCheck || (errors == SslPolicyErrors.RemoteCertificateChainErrors && IsOfExtraAuthority(certificate, chain)))
        {
            return true;
        }

        string host = ((SslStream)sender).TargetHostName;
        _refusals[host] = errors switch
        {
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => "the server sent none",
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) => $"it is not for '{host}'",
            _ => string.Join(", ", chain?.ChainStatus.Select(s => RegistryErrors.Printable(s.StatusInformation).TrimEnd('.')).Distinct() ?? []),
        };
        return false;
    }

    private bool IsOfExtraAuthority(X509Certificate? certificate, X509Chain? presented)
    {
        if (options.CertificateAuthorities.Count == 0 || certificate is not X509Certificate2 leaf)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(options.CertificateAuthorities);
        if (presented is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        }

        // A private authority rarely publishes revocations.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }

    // As TLS has it: without port, and an IPv6 address without brackets.
    private static string HostOnly(string host) => new Uri($"https://{host}").DnsSafeHost;
}
