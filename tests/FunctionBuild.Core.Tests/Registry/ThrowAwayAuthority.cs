using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>A certificate authority that lives for one test.</summary>
internal sealed class ThrowAwayAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public ThrowAwayAuthority()
    {
        CertificateRequest request = Request("CN=Throw-away authority", _key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>The authority's own certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>A server's certificate for an address, with its key.</summary>
    public X509Certificate2 Issue(IPAddress address)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        return Issue("CN=registry", names.Build());
    }

    /// <summary>A certificate that is good for clients only, with its key.</summary>
    public X509Certificate2 IssueClient(string name)
    {
        const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
        return Issue($"CN={name}", new X509EnhancedKeyUsageExtension([new Oid(ClientAuthentication)], critical: true));
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Issue(string name, X509Extension extension)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = Request(name, key);
        request.CertificateExtensions.Add(extension);
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        using X509Certificate2 issued = request.Create(Certificate, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), serial);
        using X509Certificate2 withKey = issued.CopyWithPrivateKey(key);

        // Windows serves TLS only with keys that it has stored itself.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    private static CertificateRequest Request(string name, ECDsa key) => new(name, key, HashAlgorithmName.SHA256);
}
