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
    public void TLS_is_refused_rather_than_left_out()
    {
        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => Find(("DOCKER_HOST", "tcp://build.example.com:2376"), ("DOCKER_TLS_VERIFY", "1")));

        Assert.Equal("InvalidDockerAddress", error.ErrorId);
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

    private void WriteContext(string name, string host)
    {
        string folder = Path.Combine(".docker", "contexts", "meta", Digest.Of(Encoding.UTF8.GetBytes(name)).Hex);
        Directory.CreateDirectory(_folder.Combine(folder));
        _folder.Write(Path.Combine(folder, "meta.json"), Encoding.UTF8.GetBytes($$$"""{"Name":"{{{name}}}","Endpoints":{"docker":{"Host":"{{{host}}}","SkipTLSVerify":false} } }"""));
    }

    private IReadOnlyList<DockerAddress> Find(params (string Name, string Value)[] variables) =>
        DockerAddress.Find(new CredentialEnvironment(name => variables.FirstOrDefault(v => v.Name == name).Value, _folder.Path));
}
