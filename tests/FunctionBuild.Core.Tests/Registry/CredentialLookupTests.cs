using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Registry;

public sealed class CredentialLookupTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly Dictionary<string, string> _variables = [];
    private readonly ConcurrentQueue<string> _reports = new();
    private string? _workingDirectory;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_files_are_looked_into_in_their_order()
    {
        (string Name, string Path)[] files =
        [
            ("docker home", ".docker/config.json"),
            ("podman home", ".config/containers/auth.json"),
            ("podman runtime", "run/containers/auth.json"),
            ("auth file", "named.json"),
        ];
        _variables["XDG_RUNTIME_DIR"] = _folder.Combine("run");
        foreach ((string name, string path) in files)
        {
            Write(path, new JsonObject { ["auths"] = Auth("ghcr.io", name) });
            if (path == "named.json")
            {
                _variables["REGISTRY_AUTH_FILE"] = _folder.Combine(path);
            }

            Assert.Equal(name, (await Find("ghcr.io", "acme/a"))?.UserName);
        }
    }

    [Fact]
    public async Task A_file_without_the_registry_leaves_it_to_the_next()
    {
        Write(".config/containers/auth.json", new JsonObject { ["auths"] = Auth("quay.io", "podman") });
        Write(".docker/config.json", new JsonObject { ["auths"] = Auth("ghcr.io", "docker") });
        Assert.Equal("docker", (await Find("ghcr.io", "acme/a"))?.UserName);
        Assert.Null(await Find("example.org", "acme/a"));
    }

    [Fact]
    public async Task The_folder_of_docker_can_be_named()
    {
        Write(".docker/config.json", new JsonObject { ["auths"] = Auth("ghcr.io", "home") });
        Write("elsewhere/config.json", new JsonObject { ["auths"] = Auth("ghcr.io", "named") });
        _variables["DOCKER_CONFIG"] = _folder.Combine("elsewhere");
        Assert.Equal("named", (await Find("ghcr.io", "acme/a"))?.UserName);
    }

    [Fact]
    public async Task The_nearest_namespace_counts()
    {
        Write(".config/containers/auth.json", new JsonObject
        {
            ["auths"] = new JsonObject
            {
                ["ghcr.io"] = Entry("registry"),
                ["ghcr.io/acme"] = Entry("namespace"),
                ["ghcr.io/acme/a"] = Entry("repository"),
            },
        });
        Assert.Equal("repository", (await Find("ghcr.io", "acme/a"))?.UserName);
        Assert.Equal("namespace", (await Find("ghcr.io", "acme/b/c"))?.UserName);
        Assert.Equal("registry", (await Find("ghcr.io", "acmes/a"))?.UserName);
    }

    [Theory]
    [InlineData("https://index.docker.io/v1/", "docker.io")]
    [InlineData("docker.io", "docker.io")]
    [InlineData("index.docker.io", "docker.io")]
    [InlineData("https://ghcr.io", "ghcr.io")]
    [InlineData("https://ghcr.io/v2/", "ghcr.io")]
    [InlineData("ghcr.io/v1/", "ghcr.io")]
    [InlineData("localhost:5000", "localhost:5000")]
    public async Task A_registry_has_several_spellings(string key, string registry)
    {
        Write(".docker/config.json", new JsonObject { ["auths"] = Auth(key, "ann") });
        Assert.Equal("ann", (await Find(registry, "acme/a"))?.UserName);
    }

    [Fact]
    public async Task A_password_may_have_colons_and_an_identity_token_stands_beside()
    {
        Write(".docker/config.json", new JsonObject
        {
            ["auths"] = new JsonObject
            {
                ["ghcr.io"] = new JsonObject { ["auth"] = Base64("ann:a:b:c") },
                ["quay.io"] = new JsonObject { ["auth"] = Base64("ann:"), ["identitytoken"] = "tok" },
                ["example.org"] = new JsonObject { ["username"] = "bob", ["password"] = "pass" },
            },
        });
        RegistryCredential? colons = await Find("ghcr.io", "a");
        Assert.Equal(("ann", "a:b:c", false), (colons?.UserName, colons?.Secret, colons?.IsIdentityToken));
        RegistryCredential? token = await Find("quay.io", "a");
        Assert.Equal(("tok", true), (token?.Secret, token?.IsIdentityToken));
        Assert.Equal("pass", (await Find("example.org", "a"))?.Secret);
    }

    [Fact]
    public async Task A_file_that_is_named_must_exist()
    {
        _variables["REGISTRY_AUTH_FILE"] = _folder.Combine("missing.json");
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Find("ghcr.io", "a"));
        Assert.Equal("CredentialFileNotFound", error.ErrorId);
        Assert.Contains("missing.json", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"auths\":{\"ghcr.io\":{\"auth\":\"c2VjcmV0")]
    [InlineData("{\"auths\":{\"ghcr.io\":{\"auth\":\"c2VjcmV0\"}}}")]
    [InlineData("{\"auths\":{\"ghcr.io\":{\"auth\":\"secret!\"}}}")]
    [InlineData("{\"auths\":{\"ghcr.io\":{\"auth\":[\"secret\"]}}}")]
    [InlineData("{\"credsStore\":[\"secret\"]}")]
    [InlineData("[\"secret\"]")]
    public async Task A_file_that_is_not_one_of_credentials_is_an_error_that_tells_no_secret(string content)
    {
        _variables["REGISTRY_AUTH_FILE"] = _folder.Write("bad.json", Encoding.UTF8.GetBytes(content));
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Find("ghcr.io", "a"));
        Assert.Equal("InvalidCredentialFile", error.ErrorId);
        Assert.Contains("bad.json", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_of_another_registry_that_is_wrong_does_not_matter()
    {
        Write(".docker/config.json", new JsonObject { ["auths"] = new JsonObject { ["ghcr.io"] = Entry("ann"), ["quay.io"] = new JsonObject { ["auth"] = "!" } } });
        Assert.Equal("ann", (await Find("ghcr.io", "a"))?.UserName);
    }

    [Fact]
    public async Task A_helper_program_is_asked_for_the_registry()
    {
        string helper = Helper("read server; printf '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"x\"}' \"$server\" \"$1 $server\"");
        Write(".docker/config.json", new JsonObject { ["credHelpers"] = new JsonObject { ["ghcr.io"] = helper, ["docker.io"] = helper }, ["auths"] = Auth("ghcr.io", "not asked") });
        Assert.Equal("get ghcr.io", (await Find("ghcr.io", "acme/a"))?.UserName);
        Assert.Equal("get https://index.docker.io/v1/", (await Find("docker.io", "acme/a"))?.UserName);
    }

    [Fact]
    public async Task The_store_is_asked_for_registries_without_a_helper_of_their_own()
    {
        string helper = Helper("printf '{\"Username\":\"<token>\",\"Secret\":\"tok\"}'");
        Write(".docker/config.json", new JsonObject { ["credsStore"] = helper });
        RegistryCredential? credential = await Find("ghcr.io", "acme/a");
        Assert.Equal(("tok", true), (credential?.Secret, credential?.IsIdentityToken));
    }

    [Fact]
    public async Task A_helper_that_knows_nothing_leaves_it_to_the_file()
    {
        string helper = Helper("echo 'credentials not found in native keychain'; exit 1");
        Write(".docker/config.json", new JsonObject { ["credsStore"] = helper, ["auths"] = Auth("ghcr.io", "file") });
        Assert.Equal("file", (await Find("ghcr.io", "acme/a"))?.UserName);
    }

    [Theory]
    [InlineData("echo secret; exit 3", "it ended with 3")]
    [InlineData("echo secret", "not JSON")]
    [InlineData("printf '{\"Username\":\"secret\"}'", "'Secret'")]
    public async Task A_helper_that_fails_is_an_error_that_tells_no_secret(string script, string problem)
    {
        Write(".docker/config.json", new JsonObject { ["credsStore"] = Helper(script) });
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Find("ghcr.io", "acme/a"));
        Assert.Equal("CredentialHelperFailed", error.ErrorId);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_helper_that_is_not_installed_is_an_error()
    {
        Write(".docker/config.json", new JsonObject { ["credsStore"] = "no-such-helper" });
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Find("ghcr.io", "acme/a"));
        Assert.Equal("CredentialHelperNotFound", error.ErrorId);
        Assert.Contains("docker-credential-no-such-helper", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_helper_of_a_registry_says_that_its_entry_counts()
    {
        Write(".docker/config.json", new JsonObject
        {
            ["credHelpers"] = new JsonObject { ["ghcr.io"] = string.Empty },
            ["credsStore"] = "no-such-helper",
            ["auths"] = Auth("ghcr.io", "file"),
        });
        Assert.Equal("file", (await Find("ghcr.io", "acme/a"))?.UserName);
        Assert.Equal("CredentialHelperNotFound", (await Assert.ThrowsAsync<FunctionBuildException>(() => Find("quay.io", "acme/a"))).ErrorId);
    }

    [Fact]
    public async Task Relative_paths_refer_to_the_working_directory()
    {
        Write("here/named.json", new JsonObject { ["auths"] = Auth("ghcr.io", "named") });
        Write("here/docker/config.json", new JsonObject { ["auths"] = Auth("quay.io", "docker") });
        _variables["REGISTRY_AUTH_FILE"] = "named.json";
        _variables["DOCKER_CONFIG"] = "./docker";
        _workingDirectory = _folder.Combine("here");
        Assert.Equal("named", (await Find("ghcr.io", "acme/a"))?.UserName);
        Assert.Equal("docker", (await Find("quay.io", "acme/a"))?.UserName);

        _workingDirectory = _folder.Path;
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Find("ghcr.io", "acme/a"));
        Assert.Equal(("CredentialFileNotFound", _folder.Combine("named.json")), (error.ErrorId, error.TargetObject));
    }

    [Fact]
    public async Task A_helper_cannot_be_a_path()
    {
        Write(".docker/config.json", new JsonObject { ["credsStore"] = "../evil" });
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Find("ghcr.io", "acme/a"));
        Assert.Equal("CredentialHelperFailed", error.ErrorId);
    }

    [Fact]
    public async Task What_is_reported_tells_user_and_file_but_no_secret()
    {
        Write(".docker/config.json", new JsonObject { ["auths"] = Auth("ghcr.io", "ann", "secret") });
        await Find("ghcr.io", "acme/a");
        string report = Assert.Single(_reports);
        Assert.Contains("user 'ann'", report, StringComparison.Ordinal);
        Assert.Contains("config.json", report, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", report, StringComparison.Ordinal);
    }

    private async Task<RegistryCredential?> Find(string registry, string repository)
    {
        var options = new RegistryOptions { Environment = new CredentialEnvironment(_variables.GetValueOrDefault, _folder.Path), Report = _reports.Enqueue, WorkingDirectory = _workingDirectory };
        using var lookup = new CredentialLookup(registry, options, new SecretFilter());
        return await lookup.FindAsync(repository, TestContext.Current.CancellationToken);
    }

    private void Write(string path, JsonObject content)
    {
        string full = _folder.Combine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content.ToJsonString());
    }

    /// <summary>Puts a helper where programs are looked for; its name without the beginning.</summary>
    private string Helper(string script)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The helper is a shell script.");
        string name = $"test-{Guid.NewGuid():N}";
        string folder = _folder.Combine("programs");
        string path = Path.Combine(Directory.CreateDirectory(folder).FullName, $"docker-credential-{name}");
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        SearchPath.Add(folder);
        return name;
    }

    private static JsonObject Auth(string key, string user, string password = "x") => new() { [key] = Entry(user, password) };

    private static JsonObject Entry(string user, string password = "x") => new() { ["auth"] = Base64($"{user}:{password}") };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
