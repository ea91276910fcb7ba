using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// One registry, as the OCI distribution spec 1.1 has it. Safe for concurrent use. Every method tries again what may pass,
/// and throws a <see cref="RegistryException"/> for what does not.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    private const string DockerHubHost = "registry-1.docker.io";

    private readonly string _registry;
    private readonly HttpExchange _exchange;
    private readonly Authenticator _authenticator;
    private readonly RetryPolicy _retry;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private Uri? _root;

    public RegistryClient(string registry, RegistryOptions options)
    {
        _registry = registry;
        Options = options;
        _exchange = new HttpExchange(options);
        _authenticator = new Authenticator(registry, options, _exchange);
        _retry = new RetryPolicy(options);
    }

    public RegistryOptions Options { get; }

    /// <summary>Whether a repository has a blob.</summary>
    public async Task<bool> HasBlobAsync(string repository, Blob blob, CancellationToken cancellation)
    {
        string what = $"HEAD of blob {blob.Digest} in {repository}";
        RegistryAnswer answer = await _retry.RunAsync(
            token => SendAsync(HttpMethod.Head, $"{repository}/blobs/{blob.Digest}", new AccessScope(repository), what, token, HttpStatusCode.OK, HttpStatusCode.NotFound),
            cancellation).ConfigureAwait(false);
        if (answer.Status == HttpStatusCode.NotFound)
        {
            return false;
        }

        CheckDigest(answer, blob.Digest, what);
        return answer.ContentLength is null or 0 || answer.ContentLength == blob.Length
            ? true
            : throw RegistryErrors.Malformed(_registry, what, $"it has {answer.ContentLength} bytes there, and {blob.Length} here");
    }

    /// <summary>What a repository has at a tag or a digest.</summary>
    public async Task<ManifestState> FindManifestAsync(string repository, string reference, CancellationToken cancellation)
    {
        RegistryAnswer answer = await _retry.RunAsync(
            async token => await SendAsync(
                new RegistryRequest(HttpMethod.Head, await ApiAsync($"{repository}/manifests/{reference}", token).ConfigureAwait(false), $"HEAD of manifest {reference} in {repository}")
                {
                    Scope = new AccessScope(repository),
                    AcceptsManifests = true,
                },
                token,
                HttpStatusCode.OK,
                HttpStatusCode.NotFound).ConfigureAwait(false),
            cancellation).ConfigureAwait(false);
        return answer.Status == HttpStatusCode.NotFound
            ? new ManifestState(false, null)
            : new ManifestState(true, Digest.TryParse(answer.ContentDigest, out Digest digest) ? digest : null);
    }

    /// <summary>Puts a manifest or an index at a tag or a digest.</summary>
    public async Task PutManifestAsync(string repository, string reference, string mediaType, byte[] content, CancellationToken cancellation)
    {
        string what = $"PUT of manifest {reference} in {repository}";
        RegistryAnswer answer = await _retry.RunAsync(
            async token => await SendAsync(
                new RegistryRequest(HttpMethod.Put, await ApiAsync($"{repository}/manifests/{reference}", token).ConfigureAwait(false), what)
                {
                    Scope = new AccessScope(repository),
                    Content = _ => new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } },
                },
                token,
                HttpStatusCode.Created,
                HttpStatusCode.OK).ConfigureAwait(false),
            cancellation).ConfigureAwait(false);
        CheckDigest(answer, Digest.Of(content), what);
    }

    /// <summary>
    /// Whether a repository is new: it has no tag, or the registry does not know it. What an upload that broke off left may
    /// be there all the same. A registry that does not tell is taken not to be new.
    /// </summary>
    public async Task<bool> IsNewAsync(string repository, CancellationToken cancellation)
    {
        RegistryAnswer answer = await _retry.RunAsync(
            token => SendAsync(HttpMethod.Get, $"{repository}/tags/list?n=1", new AccessScope(repository), $"GET of the tags of {repository}", token, HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.BadRequest, HttpStatusCode.MethodNotAllowed),
            cancellation).ConfigureAwait(false);
        if (answer.Status != HttpStatusCode.OK)
        {
            return answer.Status == HttpStatusCode.NotFound;
        }

        try
        {
            using var list = JsonDocument.Parse(answer.Body);
            return list.RootElement.ValueKind == JsonValueKind.Object
                && list.RootElement.TryGetProperty("tags", out JsonElement tags)
                && (tags.ValueKind == JsonValueKind.Null || (tags.ValueKind == JsonValueKind.Array && tags.GetArrayLength() == 0));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Brings a blob into a repository: mounted from another one when that has it and the registry can, sent otherwise.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="mountFrom">A repository that has the blob; null for none.</param>
    /// <param name="asked">Whether the registry said that the repository lacks the blob; if not, it is asked before anything is sent.</param>
    /// <param name="onMoved">Told of progress: by how many bytes the upload moved on, or back, and how many travelled.</param>
    /// <param name="cancellation">Stops at once.</param>
    public async Task<BlobFate> UploadBlobAsync(string repository, Blob blob, string? mountFrom, bool asked, Action<long, long> onMoved, CancellationToken cancellation)
    {
        using var upload = new BlobUpload(this, repository, blob, mountFrom, asked, onMoved);
        while (await _retry.RunAsync(upload.StepAsync, cancellation).ConfigureAwait(false) is UploadState.Unfinished)
        {
        }

        return upload.Fate;
    }

    /// <summary>Sends one request, once, to a place in the registry's API.</summary>
    public async Task<RegistryAnswer> SendAsync(HttpMethod method, string path, AccessScope scope, string what, CancellationToken cancellation, params HttpStatusCode[] expected) =>
        await SendAsync(new RegistryRequest(method, await ApiAsync(path, cancellation).ConfigureAwait(false), what) { Scope = scope }, cancellation, expected).ConfigureAwait(false);

    /// <summary>Sends one request, once; an answer of another status than those expected is an error.</summary>
    public async Task<RegistryAnswer> SendAsync(RegistryRequest request, CancellationToken cancellation, params HttpStatusCode[] expected)
    {
        Uri root = await ConnectAsync(cancellation).ConfigureAwait(false);
        AuthenticationHeaderValue? shown = await _authenticator.GetAsync(request.Scope, cancellation).ConfigureAwait(false);
        RegistryAnswer answer = await _exchange.SendAsync(request, shown, root, cancellation).ConfigureAwait(false);
        if (answer.Status == HttpStatusCode.Unauthorized
            && HttpExchange.IsSameOrigin(answer.Uri, root)
            && await _authenticator.RenewAsync(request.Scope, shown, answer, cancellation).ConfigureAwait(false) is { } renewed)
        {
            answer = await _exchange.SendAsync(request, renewed, root, cancellation).ConfigureAwait(false);
        }

        if (expected.Contains(answer.Status))
        {
            return answer;
        }

        string? explanation = answer.Status == HttpStatusCode.Unauthorized ? await _authenticator.ExplainAsync(request.Scope, cancellation).ConfigureAwait(false) : null;
        throw RegistryErrors.OfAnswer(_registry, request.What, answer, Options.MaximumRetryDelay, _exchange.Secrets, explanation);
    }

    /// <summary>Makes sure that the registry, when it tells a digest, tells the content's.</summary>
    public void CheckDigest(RegistryAnswer answer, Digest expected, string what)
    {
        if (answer.ContentDigest is { } told && told != expected.ToString())
        {
            throw RegistryErrors.DigestMismatch(_registry, what, expected, told);
        }
    }

    /// <summary>An answer that the spec does not allow.</summary>
    public RegistryException Malformed(string what, string problem) => RegistryErrors.Malformed(_registry, what, problem);

    /// <inheritdoc/>
    public void Dispose()
    {
        _authenticator.Dispose();
        _exchange.Dispose();
        _connecting.Dispose();
    }

    private async Task<Uri> ApiAsync(string path, CancellationToken cancellation) => new(await ConnectAsync(cancellation).ConfigureAwait(false), $"/v2/{path}");

    /// <summary>Finds out, once, where the registry is and what it wants to be shown.</summary>
    private async Task<Uri> ConnectAsync(CancellationToken cancellation)
    {
        if (_root is { } known)
        {
            return known;
        }

        await _connecting.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return _root ??= await FindRootAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _connecting.Release();
        }
    }

    private async Task<Uri> FindRootAsync(CancellationToken cancellation)
    {
        string host = _registry == ImageReference.DockerHub ? DockerHubHost : _registry;
        var secure = new Uri($"https://{host}");
        try
        {
            await PingAsync(secure, cancellation).ConfigureAwait(false);
            return secure;
        }
        catch (RegistryException e) when ((Options.AllowInsecure || HttpExchange.IsLoopback(secure)) && OffersNoTls(e, secure))
        {
            var plain = new Uri($"http://{host}");
            await PingAsync(plain, cancellation).ConfigureAwait(false);
            Options.Report?.Invoke($"{_registry} does not offer TLS; plain HTTP is used.");
            return plain;
        }
    }

    // Where no port is named, plain HTTP has another one, and nobody may listen at that for TLS.
    private static bool OffersNoTls(RegistryException error, Uri secure) => error.ErrorId == "RegistryTlsFailed"
        || (secure.IsDefaultPort && error.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError });

    private async Task PingAsync(Uri root, CancellationToken cancellation)
    {
        RegistryAnswer answer = await _exchange.SendAsync(new RegistryRequest(HttpMethod.Get, new Uri(root, "/v2/"), "GET of /v2/"), null, root, cancellation).ConfigureAwait(false);
        switch (answer.Status)
        {
            case HttpStatusCode.OK:
                break;
            case HttpStatusCode.Unauthorized:
                _authenticator.Learn(answer);
                break;
            case HttpStatusCode.NotFound or HttpStatusCode.BadRequest:
                throw new RegistryException("NotARegistry", FaultKind.Connection, $"{_registry} answered GET of /v2/ with {(int)answer.Status}: it is not a registry by the distribution spec. Check its name and port.", _registry) { Status = answer.Status };
            default:
                throw RegistryErrors.OfAnswer(_registry, "GET of /v2/", answer, Options.MaximumRetryDelay, _exchange.Secrets);
        }
    }
}
