using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>
/// The distribution project's registry, on a free port of the loopback address, with its content in a folder. Tests are
/// skipped where it is not installed.
/// </summary>
internal sealed class DockerRegistry : IAsyncDisposable
{
    private const int Attempts = 100;
    private readonly Process _process;

    private DockerRegistry(Process process, string host)
    {
        _process = process;
        Host = host;
    }

    /// <summary>Host and port.</summary>
    public string Host { get; }

    /// <summary>Starts a registry.</summary>
    /// <param name="folder">Holds its configuration and its content.</param>
    /// <param name="readOnly">Whether it refuses to be written to.</param>
    /// <param name="users">A file of users as <c>htpasswd -B</c> writes it; everybody may do everything when null.</param>
    /// <param name="certificate">The certificate with its key for TLS; plain HTTP when null.</param>
    public static async Task<DockerRegistry> Start(TestFolder folder, bool readOnly = false, string? users = null, X509Certificate2? certificate = null)
    {
        string name = $"registry-{Guid.NewGuid():N}";
        int port = FreePort();
        string configuration = folder.Combine($"{name}.yml");
        await File.WriteAllTextAsync(
            configuration,
            $$"""
            version: 0.1
            log: {level: error}
            storage:
              filesystem: {rootdirectory: "{{folder.Combine(name)}}"}
              delete: {enabled: true}
              maintenance:
                readonly: {enabled: {{(readOnly ? "true" : "false")}} }
            http:
              addr: 127.0.0.1:{{port}}
            {{(certificate is null ? string.Empty : Tls(folder, name, certificate))}}
            {{(users is null ? string.Empty : $"auth: {{htpasswd: {{realm: test, path: \"{users}\"}}}}")}}
            """,
            TestContext.Current.CancellationToken);
        Process process = ExternalTool.Start("docker-registry", "serve", configuration);

        // Nobody reads what it writes; a full pipe would stop it.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var registry = new DockerRegistry(process, $"127.0.0.1:{port}");
        await registry.WaitUntilItListens(port);
        return registry;
    }

    /// <summary>Writes a file with one user.</summary>
    public static async Task<string> WriteUsers(TestFolder folder, string user, string password)
    {
        string line = await ExternalTool.Run("htpasswd", "-Bbn", user, password);
        return folder.Write("users", System.Text.Encoding.UTF8.GetBytes(line));
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private static string Tls(TestFolder folder, string name, X509Certificate2 certificate)
    {
        string certificatePath = folder.Combine($"{name}.crt");
        string keyPath = folder.Combine($"{name}.key");
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
        using System.Security.Cryptography.ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return $"  tls: {{certificate: \"{certificatePath}\", key: \"{keyPath}\"}}";
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task WaitUntilItListens(int port)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException) when (!_process.HasExited)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }

        Assert.Fail("The registry does not listen.");
    }
}
