using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FunctionHello;

/// <summary>TLS as Crossplane wants it: the function proves who it is, and only Crossplane's clients may call.</summary>
internal static class MutualTls
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <exception cref="OptionException">A certificate or key is missing or can't be read.</exception>
    public static HttpsConnectionAdapterOptions Load(string folder)
    {
        try
        {
            var certificate = Path.Combine(folder, "tls.crt");
            var intermediates = new X509Certificate2Collection();
            intermediates.ImportFromPemFile(certificate);
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(Path.Combine(folder, "ca.crt"));
            return new HttpsConnectionAdapterOptions
            {
                ServerCertificate = X509Certificate2.CreateFromPemFile(certificate, Path.Combine(folder, "tls.key")),
                ServerCertificateChain = intermediates,
                ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                ClientCertificateValidation = (client, received, _) => IsIssuedBy(authorities, client, received),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new OptionException($"cannot read tls.crt, tls.key and ca.crt in '{folder}': {e.Message}");
        }
    }

    private static bool IsIssuedBy(X509Certificate2Collection authorities, X509Certificate2 client, X509Chain? received)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        if (received is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(received.ChainPolicy.ExtraStore);
        }
        return chain.Build(client);
    }
}
