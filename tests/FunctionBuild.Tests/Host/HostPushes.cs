using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Tests.Registry;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Host;

/// <summary>Pushes of a process of its own: signals, questions, and what the environment says of proxies.</summary>
public sealed class HostPushes : IDisposable
{
    private readonly TestFolder _folder = new();

    public HostPushes()
    {
        Tarballs.Write(_folder, "function-a");
        Tarballs.Write(_folder, "function-b");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_interrupt_stops_the_push_and_leaves_nothing_tagged()
    {
        HostProcess.MustTakeSignals();
        await using FakeRegistry registry = await FakeRegistry.Start();
        var sending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        registry.Faults = r =>
        {
            if (r.Method != "PUT")
            {
                return null;
            }

            sending.TrySetResult();
            return new Fault(FaultType.Stall);
        };
        using HostProcess host = HostProcess.StartIn(_folder.Combine("workspaces"), "-Command", Push(registry.Host) + "; 'went on'");
        await sending.Task.WaitAsync(TestContext.Current.CancellationToken);
        host.Signal("INT");
        HostResult result = await host.End();

        // Were it not stopped at once, the stalled request would be tried again.
        Assert.Equal((130, string.Empty), (result.ExitCode, result.Output));
        Assert.Empty(registry.Tags);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("workspaces")));
    }

    [Fact]
    public async Task What_nobody_can_confirm_is_not_pushed()
    {
        await using FakeRegistry registry = await FakeRegistry.Start();
        HostResult result = await HostProcess.Run(["-Command", Push(registry.Host, "-Confirm")], environment: Environment());

        Assert.Contains("-Confirm:$false", result.Error, StringComparison.Ordinal);
        Assert.All(registry.Requests, r => Assert.Matches("^(GET|HEAD) ", r));
    }

    [Fact]
    public async Task Plain_HTTP_to_another_address_must_be_allowed()
    {
        await using FakeRegistry registry = await FakeRegistry.Start(address: OtherAddress());
        HostResult refused = await HostProcess.Run(["-Command", Push(registry.Host)], environment: Environment());
        Assert.Contains("-AllowInsecure", refused.Error, StringComparison.Ordinal);
        Assert.Empty(registry.Requests);

        HostResult allowed = await HostProcess.Run(["-Command", Push(registry.Host, "-AllowInsecure")], environment: Environment());
        Assert.Equal((0, string.Empty), (allowed.ExitCode, allowed.Error));
        Assert.Equal(["acme/platform_function-a:v1", "acme/platform_function-b:v1"], registry.Tags);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("another.example.com")]
    [InlineData("{address}")]
    public async Task The_proxy_that_the_environment_names_is_used_but_for_what_needs_none(string? noProxy)
    {
        IPAddress address = OtherAddress();
        using var authority = new ThrowAwayAuthority();
        using X509Certificate2 certificate = authority.Issue(address);
        await using FakeRegistry registry = await FakeRegistry.Start(certificate, address);
        await using TunnelProxy proxy = TunnelProxy.Start();
        string file = _folder.Write("ca.pem", System.Text.Encoding.ASCII.GetBytes(authority.Certificate.ExportCertificatePem()));
        Dictionary<string, string> environment = Environment();
        environment["HTTPS_PROXY"] = environment["https_proxy"] = proxy.Address;
        environment["NO_PROXY"] = environment["no_proxy"] = noProxy?.Replace("{address}", $"{address}", StringComparison.Ordinal) ?? string.Empty;
        HostResult result = await HostProcess.Run(["-Command", Push(registry.Host, $"-CertificateAuthority '{file}'")], environment: environment);

        Assert.Equal((0, string.Empty), (result.ExitCode, result.Error));
        Assert.Equal(["acme/platform_function-a:v1", "acme/platform_function-b:v1"], registry.Tags);
        if (noProxy == "{address}")
        {
            Assert.Empty(proxy.Targets);
        }
        else
        {
            Assert.Equal([registry.Host], proxy.Targets.Distinct());
        }
    }

    private static IPAddress OtherAddress()
    {
        IPAddress? address = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a));
        Assert.SkipWhen(address is null, "This machine has no address but the loopback one.");
        return address;
    }

    private string Push(string host, string parameters = "") =>
        $"Import-FunctionTarball '{_folder.Combine("*.tar.gz")}' | Build-FunctionImage {host}/acme/platform | Push-FunctionImage -Tag v1 {parameters}";

    // A proxy of the machine itself must not get in between.
    private Dictionary<string, string> Environment() => new()
    {
        ["FUNCTIONBUILD_WORKSPACE_ROOT"] = _folder.Combine("workspaces"),
        ["HTTP_PROXY"] = string.Empty,
        ["HTTPS_PROXY"] = string.Empty,
        ["ALL_PROXY"] = string.Empty,
        ["NO_PROXY"] = string.Empty,
        ["http_proxy"] = string.Empty,
        ["https_proxy"] = string.Empty,
        ["all_proxy"] = string.Empty,
        ["no_proxy"] = string.Empty,
    };
}
