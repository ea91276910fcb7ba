using System.Collections.Concurrent;
using System.Text;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Core.Tests.Fixtures;
using Microsoft.AspNetCore.Http;

namespace FunctionBuild.Core.Tests.Registry;

public sealed class AuthenticationTests : IAsyncLifetime
{
    private const string Secret = "s3cret:with:colons";
    private const string IdentityToken = "identity-token-0123";

    private readonly TestFolder _folder = new();
    private readonly ConcurrentQueue<string> _reports = new();
    private readonly ConcurrentQueue<string> _tokenRequests = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _tokens = new();
    private readonly SteppedClock _clock = new();
    private FakeRegistry _registry = null!;
    private FakeRegistry _tokenService = null!;
    private FunctionImage _image = null!;

    private RegistryOptions Options => Pushes.Quick with { Report = _reports.Enqueue, Clock = _clock };

    private RegistryOptions WithUser => Options with { Credential = RegistryCredential.ForUser("ann", Secret) };

    public async ValueTask InitializeAsync()
    {
        _registry = await FakeRegistry.Start();
        _tokenService = await FakeRegistry.Start();
        _image = await _folder.BuildTwoPlatforms();
    }

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _tokenService.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_registry_that_wants_a_user_gets_the_user()
    {
        WantBasic();
        await Pushes.Push(_registry.Host, _image, WithUser);
        Pushes.Has(_registry, _image);
        Assert.Single(_registry.Authorizations, a => a.Length == 0);
    }

    [Fact]
    public async Task A_user_that_is_not_known_is_an_error_that_tells_no_secret()
    {
        WantBasic();
        RegistryOptions options = Options with { Credential = RegistryCredential.ForUser("bob", "hunter2-hunter2") };
        FunctionBuildException error = await Pushes.Fails(_registry, _image, "RegistryUnauthorized", options);

        Assert.Equal(FaultKind.Authentication, error.Kind);
        Assert.Contains("user 'bob'", error.Message, StringComparison.Ordinal);
        NobodyTells("hunter2", error);
    }

    [Fact]
    public async Task No_credentials_is_an_error_that_tells_where_they_were_looked_for()
    {
        WantBasic();
        FunctionBuildException error = await Pushes.Fails(_registry, _image, "RegistryUnauthorized", Options);
        Assert.Contains(Path.Combine("containers", "auth.json"), error.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_that_repeats_secrets_does_not_make_us_tell_them()
    {
        string basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"ann:{Secret}"));
        WantBasic();
        _registry.Faults = r => r.Method == "POST" ? new Fault(FaultType.Status, 403, Body: FakeRegistry.Error("DENIED", $"got Basic {basic}, that is {Secret}")) : null;
        FunctionBuildException error = await Pushes.Fails(_registry, _image, "RegistryDenied", WithUser);

        Assert.Contains("***", error.Message, StringComparison.Ordinal);
        NobodyTells(Secret, error);
        NobodyTells(basic, error);
    }

    [Fact]
    public async Task One_token_is_asked_for_however_many_requests_wait_for_it()
    {
        WantToken();
        FunctionImage[] images = [_image, await _folder.BuildTwoPlatforms("b")];
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images, WithUser);

        Assert.All(outcomes, o => Assert.Null(o.Error));
        Assert.All(images, i => Pushes.Has(_registry, i));
        Assert.Distinct(_tokenRequests);
        Assert.Contains(_tokenRequests, r => r.Contains("service=fake%20registry", StringComparison.Ordinal) && r.Contains("scope=repository%3Aacme%2Ffunction-a%3Apull%2Cpush", StringComparison.Ordinal));
        Assert.Contains(_tokenRequests, r => r.Contains("function-b%3Apull%2Cpush&scope=repository%3Aacme%2Ffunction-a%3Apull", StringComparison.Ordinal) || r.Contains("function-a%3Apull%2Cpush&scope=repository%3Aacme%2Ffunction-b%3Apull", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Password_and_token_go_each_to_its_own_host_only()
    {
        WantToken();
        await Pushes.Push(_registry.Host, _image, WithUser);

        Assert.All(_registry.Authorizations, a => Assert.DoesNotContain("Basic", a, StringComparison.Ordinal));
        Assert.All(_tokenService.Authorizations, a => Assert.DoesNotContain("Bearer", a, StringComparison.Ordinal));
        Assert.All(_tokens.Keys, t => Assert.DoesNotContain(_reports, r => r.Contains(t, StringComparison.Ordinal)));
        Assert.DoesNotContain(_reports, r => r.Contains(Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_credentials_an_anonymous_token_is_asked_for()
    {
        WantToken();
        await Pushes.Push(_registry.Host, _image, Options);
        Pushes.Has(_registry, _image);
        Assert.All(_tokenService.Authorizations, Assert.Empty);
    }

    [Fact]
    public async Task An_identity_token_is_exchanged()
    {
        WantToken();
        await Pushes.Push(_registry.Host, _image, Options with { Credential = RegistryCredential.ForIdentityToken(IdentityToken) });

        Pushes.Has(_registry, _image);
        string request = Assert.Single(_tokenRequests);
        Assert.StartsWith("POST", request, StringComparison.Ordinal);
        Assert.Contains("grant_type=refresh_token", request, StringComparison.Ordinal);
        Assert.Contains($"refresh_token={IdentityToken}", request, StringComparison.Ordinal);
        Assert.All(_registry.Authorizations, a => Assert.DoesNotContain(IdentityToken, a, StringComparison.Ordinal));
        Assert.DoesNotContain(_reports, r => r.Contains(IdentityToken, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_is_renewed_before_it_expires()
    {
        WantToken();
        _registry.Faults = _ =>
        {
            // Less for all that can be under way at a time than a token has left when it is renewed.
            _clock.Step(TimeSpan.FromSeconds(1));
            return null;
        };
        FunctionImage image = await (await _folder.ImportGroup([new FixtureImage { Layers = [.. Enumerable.Range(0, 25).Select(i => FixtureImage.Layer($"layer {i}"))] }])).Build();
        await Pushes.Push(_registry.Host, image, WithUser);

        Pushes.Has(_registry, image);
        Assert.True(_tokenRequests.Count > 1, "The clock has moved by more than a token's life.");
        Assert.Single(_registry.Authorizations, a => a.Length == 0);
    }

    [Fact]
    public async Task A_token_that_expired_early_is_renewed_when_it_is_refused()
    {
        WantToken();
        int requests = 0;
        _registry.Faults = r =>
        {
            if (Interlocked.Increment(ref requests) == 10)
            {
                _tokens.Clear();
            }

            return null;
        };
        await Pushes.Push(_registry.Host, _image, WithUser);
        Pushes.Has(_registry, _image);
        Assert.True(_tokenRequests.Count > 1);
    }

    [Fact]
    public async Task A_registry_that_wants_a_token_only_from_the_second_request_on_gets_it()
    {
        WantToken();
        Func<string?, bool> authorize = _registry.Authorize!;
        bool first = true;
        _registry.Authorize = a =>
        {
            bool open = first;
            first = false;
            return open || authorize(a);
        };
        await Pushes.Push(_registry.Host, _image, WithUser);
        Pushes.Has(_registry, _image);
    }

    [Fact]
    public async Task A_token_service_that_refuses_is_asked_once_for_each_scope()
    {
        WantToken();
        _tokenService.Faults = _ => new Fault(FaultType.Status, 401);
        FunctionBuildException error = await Pushes.Fails(_registry, _image, "RegistryUnauthorized", WithUser);

        Assert.Contains("user 'ann'", error.Message, StringComparison.Ordinal);
        Assert.Single(_tokenService.Requests);
    }

    [Fact]
    public async Task A_token_service_that_fails_for_a_while_is_asked_again()
    {
        WantToken();
        int requests = 0;
        _tokenService.Faults = _ => Interlocked.Increment(ref requests) < 3 ? new Fault(FaultType.Status, 503) : null;
        await Pushes.Push(_registry.Host, _image, WithUser);
        Pushes.Has(_registry, _image);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("<html>")]
    [InlineData("{\"token\":7}")]
    public async Task A_token_service_that_talks_nonsense_is_an_error(string answer)
    {
        WantToken();
        _tokenService.Elsewhere = context => context.Response.WriteAsync(answer);
        await Pushes.Fails(_registry, _image, "RegistryMalformedAnswer", WithUser);
    }

    [Fact]
    public async Task A_token_service_without_tls_on_another_machine_is_not_asked()
    {
        WantToken();
        _registry.Challenge = "Bearer realm=\"http://tokens.invalid/\"";
        await Pushes.Fails(_registry, _image, "InsecureRegistry", WithUser);
    }

    [Theory]
    [InlineData(307)]
    [InlineData(302)]
    public async Task A_redirect_to_another_host_shows_it_nothing(int status)
    {
        WantToken();
        string[] paths = [.. Pushes.BlobsOf(_image).Select(b => $"/v2/{Pushes.RepositoryOf(_image)}/blobs/{b.Digest}")];
        await Pushes.Push(_registry.Host, _image, WithUser);
        await using FakeRegistry storage = await FakeRegistry.Start();
        await Pushes.Push(storage.Host, _image, Options);
        _registry.LoseManifests();
        int before = storage.Requests.Count;

        _registry.Faults = r => paths.Contains(r.Path.Value) ? new Fault(FaultType.Status, status) : null;
        _registry.Redirect = $"http://{storage.Host}";
        PushResult result = await Pushes.Push(_registry.Host, _image, WithUser);

        Assert.Equal(paths.Length, result.BlobsExisting);
        Assert.Equal(paths.Length, storage.Requests.Count - before);
        Assert.All(storage.Authorizations, Assert.Empty);
    }

    [Fact]
    public async Task An_upload_to_another_host_shows_it_nothing()
    {
        WantToken();
        await using FakeRegistry storage = await FakeRegistry.Start();
        storage.Faults = r => new Fault(FaultType.Status, 201);
        _registry.Place = path => $"http://{storage.Host}{path}";
        await Pushes.Push(_registry.Host, [_image], WithUser);

        Assert.Equal(Pushes.BlobsOf(_image).Count(), storage.Count("PUT", "digest="));
        Assert.All(storage.Authorizations, Assert.Empty);
    }

    [Fact]
    public async Task Redirects_without_end_are_an_error()
    {
        _registry.Faults = r => r.Method == "HEAD" ? new Fault(FaultType.Status, 307) : null;
        _registry.Redirect = $"http://{_registry.Host}";
        await Pushes.Fails(_registry, _image, "RegistryMalformedAnswer", Options);
    }

    [Fact]
    public async Task One_credential_does_not_go_to_several_registries()
    {
        WantBasic();
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => ImagePusher.PushAsync(
            [Pushes.Request(_registry.Host, _image), Pushes.Request(_tokenService.Host, _image)],
            new PushOptions { Registry = WithUser },
            null,
            TestContext.Current.CancellationToken));
        Assert.Equal("CredentialForSeveralRegistries", error.ErrorId);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public void A_credential_prints_no_secret() =>
        Assert.DoesNotContain(Secret, RegistryCredential.ForUser("ann", Secret).ToString(), StringComparison.Ordinal);

    private void WantBasic() =>
        _registry.Authorize = a => a == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"ann:{Secret}"));

    /// <summary>Tokens live for a minute of the clock that the client goes by.</summary>
    private void WantToken()
    {
        _registry.Authorize = a => a?.StartsWith("Bearer ", StringComparison.Ordinal) == true && _tokens.TryGetValue(a["Bearer ".Length..], out DateTimeOffset expires) && _clock.GetUtcNow() < expires;
        _registry.Challenge = $"Bearer realm=\"http://{_tokenService.Host}/token\",service=\"fake registry\"";
        _tokenService.Elsewhere = async context =>
        {
            using var form = new StreamReader(context.Request.Body);
            _tokenRequests.Enqueue($"{context.Request.Method} {context.Request.QueryString} {await form.ReadToEndAsync(context.RequestAborted)}");
            string token = $"token-{Guid.NewGuid():N}";
            _tokens[token] = _clock.GetUtcNow().AddSeconds(60);
            await context.Response.WriteAsync($$"""{"token":"{{token}}","expires_in":60}""", context.RequestAborted);
        };
    }

    private void NobodyTells(string secret, Exception error)
    {
        Assert.DoesNotContain(secret, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_reports, r => r.Contains(secret, StringComparison.Ordinal));
    }

    /// <summary>A clock that stands still until it is moved.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private long _ticks = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks;

        public void Step(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);
    }
}
