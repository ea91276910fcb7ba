using System.Net;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Registry;

public sealed class TlsTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private readonly ThrowAwayAuthority _authority = new();
    private FunctionImage _image = null!;

    public async ValueTask InitializeAsync() => _image = await _folder.BuildTwoPlatforms();

    public ValueTask DisposeAsync()
    {
        _authority.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_certificate_of_an_authority_that_is_named_is_trusted()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Loopback));
        await Pushes.Push(registry.Host, _image, Pushes.Quick with { CertificateAuthorities = [_authority.Certificate] });
        Pushes.Has(registry, _image);
    }

    [Fact]
    public async Task Http_2_is_spoken_where_it_is_offered()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Loopback));
        await Pushes.Push(registry.Host, _image, Pushes.Quick with { CertificateAuthorities = [_authority.Certificate] });
        Assert.All(registry.Protocols, p => Assert.Equal("HTTP/2", p));
    }

    [Fact]
    public async Task An_upload_over_http_2_that_broke_off_goes_on()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Loopback));
        int cuts = 0;
        registry.Faults = r => r.Method == "PUT" && r.ContentLength > 100_000 && Interlocked.Increment(ref cuts) == 1 ? new Fault(FaultType.CutWithin) : null;
        await Pushes.Push(registry.Host, _image, Pushes.Quick with { CertificateAuthorities = [_authority.Certificate] });

        Pushes.Has(registry, _image);
        Assert.Equal(1, registry.Count("PATCH", "/blobs/uploads/"));
    }

    [Fact]
    public async Task A_refusal_over_http_2_before_the_body_was_read_is_understood()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Loopback));
        registry.Faults = r => r.Method == "PUT" ? new Fault(FaultType.Status, 403) : null;
        await Pushes.Fails(registry, _image, "RegistryDenied", Pushes.Quick with { CertificateAuthorities = [_authority.Certificate] });
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_authority_is_an_error_that_is_not_tried_again()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Loopback));
        var reports = new List<string>();
        FunctionBuildException error = await Pushes.Fails(registry, _image, "RegistryCertificateInvalid", Pushes.Quick with { AllowInsecure = true, Report = reports.Add });

        Assert.Contains("-CertificateAuthority", error.Message, StringComparison.Ordinal);
        Assert.Empty(registry.Requests);
        Assert.Empty(reports);
    }

    [Fact]
    public async Task A_certificate_for_another_host_is_an_error_even_from_a_trusted_authority()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Parse("192.0.2.1")));
        FunctionBuildException error = await Pushes.Fails(registry, _image, "RegistryCertificateInvalid", Pushes.Quick with { CertificateAuthorities = [_authority.Certificate] });
        Assert.Contains("it is not for '127.0.0.1'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_than_the_one_named_is_an_error()
    {
        using var other = new ThrowAwayAuthority();
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Loopback));
        await Pushes.Fails(registry, _image, "RegistryCertificateInvalid", Pushes.Quick with { CertificateAuthorities = [other.Certificate] });
    }

    [Fact]
    public async Task The_check_can_be_skipped()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(_authority.Issue(IPAddress.Parse("192.0.2.1")));
        await Pushes.Push(registry.Host, _image, Pushes.Quick with { SkipCertificateCheck = true });
        Pushes.Has(registry, _image);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5000/", true)]
    [InlineData("http://127.1.2.3/", true)]
    [InlineData("https://localhost/", true)]
    [InlineData("https://[::1]:5000/", true)]
    [InlineData("https://ghcr.io/", false)]
    public void No_proxy_is_asked_for_this_machine(string uri, bool direct)
    {
        var proxy = new LoopbackBypass(new WebProxy("http://proxy.invalid:3128"));
        Assert.Equal(direct, proxy.IsBypassed(new Uri(uri)));
        Assert.Equal(direct ? null : new Uri("http://proxy.invalid:3128"), proxy.GetProxy(new Uri(uri)));
    }
}
