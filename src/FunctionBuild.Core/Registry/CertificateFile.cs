using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FunctionBuild.Core.Registry;

/// <summary>Files with certificates of authorities: PEM with one or several, or DER with one.</summary>
public static class CertificateFile
{
    /// <summary>Reads the certificates of a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>CertificateFileNotFound</c>, <c>CertificateFileUnreadable</c> or <c>CertificateFileInvalid</c>.
    /// </exception>
    public static X509Certificate2Collection Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            byte[] content = File.ReadAllBytes(path);
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(Encoding.ASCII.GetString(content));
            if (certificates.Count == 0)
            {
                certificates.Add(X509CertificateLoader.LoadCertificate(content));
            }

            return certificates;
        }
        catch (CryptographicException e)
        {
            throw new FunctionBuildException(
                "CertificateFileInvalid",
                FaultKind.InvalidData,
                $"'{path}' holds no certificate. Expected certificates as PEM ('-----BEGIN CERTIFICATE-----'), or one as DER.",
                path,
                e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FunctionBuildException("CertificateFileNotFound", FaultKind.NotFound, $"'{path}': no such file. Expected the certificate of an authority.", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FunctionBuildException("CertificateFileUnreadable", FaultKind.Read, $"'{path}' cannot be read: {e.Message}", path, e);
        }
    }
}
