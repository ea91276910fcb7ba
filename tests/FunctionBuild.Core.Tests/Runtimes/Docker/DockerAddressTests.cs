using System.Text;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Runtimes.Docker;

public sealed class DockerAddressTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("unix:///run/other.sock", null)]
    [InlineData("tcp://127.0.0.1:2375", null)]
    [InlineData("tcp://localhost:2375", null)]
    [InlineData("tcp://build.example.com:2375", "build.example.com")]
    [InlineData("npipe:////./pipe/other", null)]
    public void DOCKER_HOST_names_the_only_engine(string host, string? remote)
    {
        DockerAddress address = Assert.Single(Find(("DOCKER_HOST", host), ("DOCKER_CONTEXT", "ignored")));

        Assert.True(address.IsNamed);
        Assert.Equal(remote, address.RemoteHost);
        Assert.Equal(new Uri(host.Replace("////./", "//./", StringComparison.Ordinal)), address.Uri);
    }

    [Theory]
    [InlineData("ssh://me@build.example.com")]
    [InlineData("/var/run/docker.sock")]
    [InlineData("gopher://host")]
    [InlineData("not an address")]
    public void An_address_of_another_kind_is_an_error(string host)
    {
        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => Find(("DOCKER_HOST", host)));

        Assert.Equal("InvalidDockerAddress", error.ErrorId);
    }

    [Fact]
    public void Ssh_is_refused_with_what_to_do_instead()
    {
        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => Find(("DOCKER_HOST", "ssh://me@build.example.com")));

        Assert.Contains("ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock ssh://me@build.example.com", error.Message, StringComparison.Ordinal);
        Assert.Contains("DOCKER_HOST=unix:///tmp/docker.sock", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://build.example.com", "", "", 2375, null)]
    [InlineData("tcp://build.example.com", "DOCKER_TLS_VERIFY", "", 2376, true)]
    [InlineData("tcp://build.example.com:99", "DOCKER_TLS", "", 99, false)]
    [InlineData("http://build.example.com:99", "DOCKER_TLS_VERIFY", "certs", 99, true)]
    [InlineData("https://build.example.com", "", "certs", 443, true)]
    [InlineData("https://build.example.com", "DOCKER_TLS", "", 443, true)]
    [InlineData("tcp://build.example.com:99", "", "certs", 99, null)]
    public void Variables_ask_for_TLS(string host, string variable, string folder, int port, bool? isChecked)
    {
        DockerAddress address = Assert.Single(Find(("DOCKER_HOST", host), (variable, "1"), ("DOCKER_CERT_PATH", folder)));

        Assert.Equal(port, address.Uri.Port);
        Assert.Equal(isChecked, address.Tls?.IsChecked);
        if (isChecked is not null)
        {
            Assert.Equal(folder.Length > 0 ? (Path.Combine(_folder.Combine("here"), folder), true) : (_folder.Combine(".docker"), false), (address.Tls!.Folder, address.Tls.MustExist));
        }
    }

    [Theory]
    [InlineData("tcp://build.example.com:2376", true, false, true)]
    [InlineData("tcp://build.example.com:2376", true, true, false)]
    [InlineData("tcp://build.example.com:2376", false, true, false)]
    [InlineData("tcp://build.example.com:2375", false, false, null)]
    [InlineData("https://build.example.com:2376", false, false, true)]
    [InlineData("unix:///run/other.sock", true, false, null)]
    public void A_context_has_TLS_of_its_own(string host, bool hasFiles, bool skips, bool? isChecked)
    {
        WriteContext("mine", host, skips);
        string files = _folder.Combine(Path.Combine(".docker", "contexts", "tls", Digest.Of("mine"u8.ToArray()).Hex, "docker"));
        if (hasFiles)
        {
            Directory.CreateDirectory(files);
            File.WriteAllText(Path.Combine(files, "ca.pem"), "");
        }

        _folder.Write(".docker/config.json", """{"currentContext":"mine"}"""u8.ToArray());

        foreach (DockerAddress address in (DockerAddress[])[.. Find(("DOCKER_CERT_PATH", "other"), ("DOCKER_TLS_VERIFY", "1")), .. Find(("DOCKER_CONTEXT", "mine"))])
        {
            Assert.Equal(isChecked, address.Tls?.IsChecked);
            Assert.True(isChecked is null || address.Tls!.Folder == files);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_context_names_the_engine(bool byVariable)
    {
        WriteContext("mine", "unix:///home/me/.colima/mine/docker.sock");
        if (!byVariable)
        {
            _folder.Write(".docker/config.json", """{"currentContext":"mine"}"""u8.ToArray());
        }

        DockerAddress address = Assert.Single(byVariable ? Find(("DOCKER_CONTEXT", "mine")) : Find());

        Assert.True(address.IsNamed);
        Assert.Equal("unix:///home/me/.colima/mine/docker.sock", address.ToString());
    }

    [Fact]
    public void A_context_that_does_not_exist_is_an_error()
    {
        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => Find(("DOCKER_CONTEXT", "absent")));

        Assert.Equal("InvalidDockerAddress", error.ErrorId);
        Assert.Contains("absent", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_name_the_usual_sockets_are_tried_in_order()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has named pipes.");

        IReadOnlyList<DockerAddress> addresses = Find(("XDG_RUNTIME_DIR", "/run/user/7"));

        Assert.All(addresses, a => Assert.False(a.IsNamed));
        Assert.Equal("unix:///var/run/docker.sock", addresses[0].ToString());
        Assert.Equal("unix:///run/podman/podman.sock", addresses[^1].ToString());
        string[] all = [.. addresses.Select(a => a.ToString())];
        Assert.Contains("unix:///run/user/7/podman/podman.sock", all);
        Assert.Contains($"unix://{_folder.Combine(".colima/default/docker.sock")}", all);
        Assert.Contains($"unix://{_folder.Combine(".rd/docker.sock")}", all);
    }

    private void WriteContext(string name, string host, bool skipsCheck = false)
    {
        string folder = Path.Combine(".docker", "contexts", "meta", Digest.Of(Encoding.UTF8.GetBytes(name)).Hex);
        Directory.CreateDirectory(_folder.Combine(folder));
        _folder.Write(Path.Combine(folder, "meta.json"), Encoding.UTF8.GetBytes($$$"""{"Name":"{{{name}}}","Endpoints":{"docker":{"Host":"{{{host}}}","SkipTLSVerify":{{{(skipsCheck ? "true" : "false")}}}} } }"""));
    }

    private IReadOnlyList<DockerAddress> Find(params (string Name, string Value)[] variables) =>
        DockerAddress.Find(new CredentialEnvironment(name => variables.FirstOrDefault(v => v.Name == name).Value, _folder.Path) { WorkingDirectory = _folder.Combine("here") });
}
