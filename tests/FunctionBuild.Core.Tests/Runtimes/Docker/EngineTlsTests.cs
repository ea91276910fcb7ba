using System.Net;
using System.Security.Cryptography.X509Certificates;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Tests.Registry;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FunctionBuild.Core.Tests.Runtimes.Docker;

/// <summary>Engines on a port, with and without TLS.</summary>
public sealed class EngineTlsTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly ThrowAwayAuthority _authority = new();
    private readonly string _files;

    public EngineTlsTests() => _files = Directory.CreateDirectory(_folder.Combine("certificates")).FullName;

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_function_comes_and_goes_without_a_trace(bool isTls)
    {
        string? client = null;
        await using FakeEngine engine = isTls ? await StartTls() : await FakeEngine.Start(_folder, isTcp: true);
        engine.Override = context =>
        {
            client = context.Connection.ClientCertificate?.Subject;
            return Task.FromResult(false);
        };
        if (isTls)
        {
            Trust(engine, _authority.Certificate);
            using X509Certificate2 mine = _authority.IssueClient("me");
            WriteOwn(mine, mine);
        }

        FunctionImage image = await _folder.BuildTwoPlatforms();
        using (var runtime = (DockerRuntime)await Connect(engine))
        {
            // More than a handler's usual number of connections.
            await using FunctionRuntimes functions = await FunctionRuntimes.StartAsync(runtime, Enumerable.Range(0, 12).Select(i => new FunctionStart($"function-{i}") { Image = image }), TestContext.Current.CancellationToken);
            Assert.Equal(12, engine.Containers.Count);
        }

        Assert.Equal(isTls ? "CN=me" : null, client);
        Assert.Empty(engine.Containers);
        Assert.Empty(engine.Images);
    }

    [Fact]
    public async Task An_engine_of_another_authority_is_refused()
    {
        using var other = new ThrowAwayAuthority();
        await using FakeEngine engine = await StartTls(other.Issue(IPAddress.Loopback));
        Trust(engine, _authority.Certificate);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Connect(engine));

        Assert.Equal("DockerUnavailable", error.ErrorId);
        Assert.Contains("the engine's certificate is not trusted", error.Message, StringComparison.Ordinal);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task An_engine_that_only_the_system_could_trust_is_refused()
    {
        await using FakeEngine engine = await StartTls();
        engine.Variables["DOCKER_TLS_VERIFY"] = "1";

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Connect(engine));

        Assert.Contains("the engine's certificate is not trusted", error.Message, StringComparison.Ordinal);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task A_certificate_for_another_host_is_refused()
    {
        await using FakeEngine engine = await StartTls(_authority.Issue(IPAddress.Parse("192.0.2.1")));
        Trust(engine, _authority.Certificate);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Connect(engine));

        Assert.Contains("is not for '127.0.0.1'", error.Message, StringComparison.Ordinal);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task Without_a_check_any_certificate_will_do()
    {
        await using FakeEngine engine = await StartTls(_authority.Issue(IPAddress.Parse("192.0.2.1")));
        engine.Variables["DOCKER_TLS"] = "1";

        ((DockerRuntime)await Connect(engine)).Dispose();

        Assert.NotEmpty(engine.Requests);
    }

    [Fact]
    public async Task An_engine_that_asks_who_we_are_is_told_by_nobody()
    {
        await using FakeEngine engine = await StartTls(mode: ClientCertificateMode.RequireCertificate);
        Trust(engine, _authority.Certificate);

        Assert.Equal("DockerUnavailable", (await Assert.ThrowsAsync<FunctionBuildException>(() => Connect(engine))).ErrorId);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task An_engine_without_TLS_is_not_spoken_to_in_plain_text()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder, isTcp: true);
        Trust(engine, _authority.Certificate);

        Assert.Equal("DockerUnavailable", (await Assert.ThrowsAsync<FunctionBuildException>(() => Connect(engine))).ErrorId);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task A_port_on_which_nothing_listens_is_an_error()
    {
        var options = new RuntimeOptions { Environment = new(v => v == "DOCKER_HOST" ? "tcp://127.0.0.1:1" : null, _folder.Path) };

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => DockerRuntime.ConnectAsync(options, TestContext.Current.CancellationToken));

        Assert.Equal("DockerUnavailable", error.ErrorId);
    }

    [Theory]
    [InlineData("none", "DockerCertificatesNotFound")]
    [InlineData("no key", "ClientCertificateIncomplete")]
    [InlineData("another key", "ClientCertificateInvalid")]
    [InlineData("not PEM", "CertificateFileInvalid")]
    public async Task Files_that_cannot_be_used_are_errors_of_their_own(string fault, string errorId)
    {
        await using FakeEngine engine = await StartTls();
        using X509Certificate2 mine = _authority.IssueClient("me");
        using X509Certificate2 other = _authority.IssueClient("other");
        Trust(engine, _authority.Certificate);
        switch (fault)
        {
            case "none":
                File.Delete(Path.Combine(_files, "ca.pem"));
                break;
            case "no key":
                File.WriteAllText(Path.Combine(_files, "cert.pem"), mine.ExportCertificatePem());
                break;
            case "another key":
                WriteOwn(mine, other);
                break;
            default:
                File.WriteAllText(Path.Combine(_files, "ca.pem"), "hello");
                break;
        }

        Assert.Equal(errorId, (await Assert.ThrowsAsync<FunctionBuildException>(() => Connect(engine))).ErrorId);
        Assert.Empty(engine.Requests);
    }

    private static Task<IFunctionRuntime> Connect(FakeEngine engine) => DockerRuntime.ConnectAsync(engine.Options(), TestContext.Current.CancellationToken);

    private Task<FakeEngine> StartTls(X509Certificate2? certificate = null, ClientCertificateMode mode = ClientCertificateMode.AllowCertificate) => FakeEngine.Start(_folder, tls: new HttpsConnectionAdapterOptions
    {
        ServerCertificate = certificate ?? _authority.Issue(IPAddress.Loopback),
        ClientCertificateMode = mode,
        ClientCertificateValidation = (_, _, _) => true,
    });

    private void Trust(FakeEngine engine, X509Certificate2 authority)
    {
        File.WriteAllText(Path.Combine(_files, "ca.pem"), authority.ExportCertificatePem());
        engine.Variables["DOCKER_TLS_VERIFY"] = "1";
        engine.Variables["DOCKER_CERT_PATH"] = _files;
    }

    private void WriteOwn(X509Certificate2 certificate, X509Certificate2 key)
    {
        File.WriteAllText(Path.Combine(_files, "cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_files, "key.pem"), key.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
    }
}
