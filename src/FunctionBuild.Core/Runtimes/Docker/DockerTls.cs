using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Docker.DotNet.Handler.Abstractions;
using FunctionBuild.Core.Registry;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>How an engine is trusted, and who we are to it.</summary>
internal sealed class DockerTls : IAuthProvider, IDisposable
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly X509Certificate2Collection _authorities;
    private readonly X509Certificate2Collection _own;
    private readonly bool _isChecked;

    private DockerTls(X509Certificate2Collection authorities, X509Certificate2Collection own, bool isChecked)
    {
        _authorities = authorities;
        _own = own;
        _isChecked = isChecked;
    }

    /// <inheritdoc/>
    public bool TlsEnabled => true;

    /// <summary>Why the engine's certificate was refused; null when it was not.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Reads the files.</summary>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>DockerCertificatesNotFound</c>, <c>ClientCertificateIncomplete</c>, <c>ClientCertificateInvalid</c>,
    /// <c>CertificateFileInvalid</c> or <c>CertificateFileUnreadable</c>.
    /// </exception>
    public static DockerTls Load(DockerTlsSource source)
    {
        if (source.MustExist && !source.HasFiles)
        {
            throw new FunctionBuildException("DockerCertificatesNotFound", FaultKind.NotFound, $"DOCKER_CERT_PATH names '{source.Folder}', where there is neither ca.pem nor cert.pem. Correct it, or unset it when the system trusts the engine's certificate.", source.Folder);
        }

        X509Certificate2Collection own = LoadOwn(source);
        return new DockerTls(File.Exists(source.Authorities) ? CertificateFile.Read(source.Authorities) : [], own, source.IsChecked);
    }

    /// <inheritdoc/>
    public HttpMessageHandler ConfigureHandler(HttpMessageHandler handler)
    {
        SslClientAuthenticationOptions options = ((SocketsHttpHandler)handler).SslOptions;
        options.RemoteCertificateValidationCallback = Check;
        if (_own.Count > 0)
        {
            // Whatever authorities the engine says it knows.
            options.ClientCertificateContext = SslStreamCertificateContext.Create(_own[0], [.. _own.Skip(1)], offline: true);
        }

        return handler;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (X509Certificate2 certificate in _own.Concat(_authorities))
        {
            certificate.Dispose();
        }
    }

    /// <summary>Our certificate with its key, then those between it and its authority; empty when there is none.</summary>
    private static X509Certificate2Collection LoadOwn(DockerTlsSource source)
    {
        if (!File.Exists(source.Certificate) && !File.Exists(source.Key))
        {
            return [];
        }

        string? missing = !File.Exists(source.Certificate) ? source.Certificate : !File.Exists(source.Key) ? source.Key : null;
        if (missing is not null)
        {
            throw new FunctionBuildException("ClientCertificateIncomplete", FaultKind.NotFound, $"'{missing}': no such file. A certificate for the engine is two files, cert.pem and key.pem.", missing);
        }

        try
        {
            X509Certificate2Collection chain = CertificateFile.Read(source.Certificate);
            using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(source.Certificate, source.Key);
            chain[0].Dispose();

            // Windows uses only keys that it has stored itself.
            chain[0] = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
            return chain;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FunctionBuildException("ClientCertificateInvalid", FaultKind.InvalidData, $"'{source.Certificate}' and '{source.Key}' are not a certificate and its key: {e.Message.TrimEnd('.')}. Expected PEM, and a key without a password.", source.Key, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FunctionBuildException("CertificateFileUnreadable", FaultKind.Read, $"'{source.Certificate}' or '{source.Key}' cannot be read: {e.Message}", source.Key, e);
        }
    }

    private bool Check(object sender, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (!_isChecked)
        {
            return true;
        }

        string host = ((SslStream)sender).TargetHostName;
        Refusal = certificate is not X509Certificate2 leaf ? "the engine sent no certificate"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"the engine's certificate is not for '{host}'"
            : _authorities.Count > 0 ? RefusalOfAuthorities(leaf, presented)
            : errors == SslPolicyErrors.None ? null
            : Describe(presented);
        return Refusal is null;
    }

    // The system's authorities do not count when the user named others.
    private string? RefusalOfAuthorities(X509Certificate2 leaf, X509Chain? presented)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.ExtraStore.AddRange(presented?.ChainPolicy.ExtraStore ?? []);
        chain.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);

        // A private authority rarely publishes revocations.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf) ? null : Describe(chain);
    }

    private static string Describe(X509Chain? chain) =>
        $"the engine's certificate is not trusted ({string.Join(", ", (chain?.ChainStatus ?? []).Select(s => RegistryErrors.Printable(s.StatusInformation).TrimEnd('.')).Distinct())})";
}
