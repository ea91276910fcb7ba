using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>
/// A registry in memory, on a free port of the loopback address, that keeps the rules of the distribution spec but for
/// the faults that a test asks for.
/// </summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private static readonly TimeSpan LongestStall = TimeSpan.FromSeconds(20);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Repository, string Digest), byte[]> _blobs = [];
    private readonly Dictionary<(string Repository, string Reference), (string MediaType, byte[] Content)> _manifests = [];
    private readonly Dictionary<string, (string Repository, MemoryStream Content)> _uploads = [];
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentQueue<string> _authorizations = new();
    private readonly ConcurrentQueue<string> _protocols = new();
    private WebApplication? _app;
    private int _nextUpload;

    /// <summary>Host and port.</summary>
    public string Host { get; private set; } = string.Empty;

    /// <summary>Decides about each request before it is served; null serves it.</summary>
    public Func<HttpRequest, Fault?> Faults { get; set; } = _ => null;

    /// <summary>Whoever must show something; null lets everybody in. True when it was good.</summary>
    public Func<string?, bool>? Authorize { get; set; }

    /// <summary>The <c>WWW-Authenticate</c> header of refusals.</summary>
    public string Challenge { get; set; } = "Basic realm=\"fake\"";

    /// <summary>Serves what is not a part of the registry's API, such as a token service.</summary>
    public Func<HttpContext, Task>? Elsewhere { get; set; }

    public bool Mounts { get; set; } = true;

    public bool TellsDigests { get; set; } = true;

    public bool TellsRanges { get; set; } = true;

    public bool KeepsCutBodies { get; set; } = true;

    public bool KeepsChunks { get; set; } = true;

    /// <summary>Whether the content of an upload is to be spoilt before it is completed.</summary>
    public Func<byte[], bool> Spoil { get; set; } = _ => false;

    /// <summary>Changes the digest that is told.</summary>
    public Func<string, string> ToldDigest { get; set; } = d => d;

    /// <summary>Makes the place of an upload of its path.</summary>
    public Func<string, string?> Place { get; set; } = path => path;

    /// <summary>Where answers with a status of a redirect lead to, without the path.</summary>
    public string Redirect { get; set; } = string.Empty;

    public long LargestBody { get; set; } = long.MaxValue;

    public int? SmallestChunk { get; set; }

    /// <summary>All requests: method and path with parameters.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>The protocols by which requests came.</summary>
    public IReadOnlyList<string> Protocols => [.. _protocols];

    /// <summary>The authorization headers that came, empty for none.</summary>
    public IReadOnlyList<string> Authorizations => [.. _authorizations];

    public IReadOnlyList<string> Tags
    {
        get
        {
            lock (_gate)
            {
                return [.. _manifests.Keys.Where(k => !k.Reference.StartsWith(Digest.Prefix, StringComparison.Ordinal)).Select(k => $"{k.Repository}:{k.Reference}").Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Starts a registry, over TLS when a certificate is given, on the loopback address unless another one is given.</summary>
    public static async Task<FakeRegistry> Start(X509Certificate2? certificate = null, IPAddress? address = null)
    {
        var registry = new FakeRegistry();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            options.Listen(address ?? IPAddress.Loopback, 0, listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            });
            options.Limits.MaxRequestBodySize = null;
        });
        registry._app = builder.Build();
        registry._app.Run(registry.Serve);
        await registry._app.StartAsync(TestContext.Current.CancellationToken);
        registry.Host = new Uri(registry._app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority;
        return registry;
    }

    public byte[]? Blob(string repository, Digest digest)
    {
        lock (_gate)
        {
            return _blobs.GetValueOrDefault((repository, digest.ToString()));
        }
    }

    public byte[]? Manifest(string repository, string reference)
    {
        lock (_gate)
        {
            return _manifests.GetValueOrDefault((repository, reference)).Content;
        }
    }

    /// <summary>Uploads that were begun and neither completed nor given up.</summary>
    public int OpenUploads
    {
        get
        {
            lock (_gate)
            {
                return _uploads.Count;
            }
        }
    }

    /// <summary>Loses a blob, and keeps the manifests that name it.</summary>
    public void Lose(string repository, Digest digest)
    {
        lock (_gate)
        {
            Assert.True(_blobs.Remove((repository, digest.ToString())));
        }
    }

    /// <summary>Loses all manifests and tags, and keeps the blobs.</summary>
    public void LoseManifests()
    {
        lock (_gate)
        {
            _manifests.Clear();
        }
    }

    /// <summary>How often each blob was asked for since a request, whatever the repository.</summary>
    public IReadOnlyDictionary<string, int> BlobChecks(int since = 0) =>
        Requests.Skip(since).Where(r => r.StartsWith("HEAD", StringComparison.Ordinal) && r.Contains("/blobs/", StringComparison.Ordinal)).CountBy(r => r[(r.LastIndexOf('/') + 1)..]).ToDictionary();

    public int Count(string method, string part) => Requests.Count(r => r.StartsWith(method, StringComparison.Ordinal) && r.Contains(part, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app!.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task Serve(HttpContext context)
    {
        _requests.Enqueue($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}");
        _authorizations.Enqueue(context.Request.Headers.Authorization.ToString());
        _protocols.Enqueue(context.Request.Protocol);
        Fault? fault = Faults(context.Request);
        switch (fault?.Kind)
        {
            case FaultType.Status:
                context.Response.Headers.RetryAfter = fault.RetryAfter;
                if (fault.Status is >= 300 and < 400)
                {
                    context.Response.Headers.Location = Redirect + context.Request.Path;
                }

                await Answer(context, fault.Status, fault.Body);
                return;
            case FaultType.CutBefore:
                context.Abort();
                return;
            case FaultType.Stall:
                await Task.Delay(LongestStall, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                context.Abort();
                return;
            case FaultType.CutWithin:
                await ReadHalf(context);
                context.Abort();
                return;
            case FaultType.LoseUpload:
                lock (_gate)
                {
                    _uploads.Remove(context.Request.Path.Value!.Split('/')[^1]);
                }

                break;
        }

        if (!context.Request.Path.StartsWithSegments("/v2"))
        {
            await (Elsewhere?.Invoke(context) ?? Answer(context, 404, string.Empty));
        }
        else if (Authorize is { } authorize && !authorize(context.Request.Headers.Authorization))
        {
            context.Response.Headers.WWWAuthenticate = Challenge;
            await Answer(context, 401, Error("UNAUTHORIZED", "authentication required"));
        }
        else
        {
            await ServeApi(context, fault?.Kind == FaultType.CutAfter);
        }
    }

    private async Task ServeApi(HttpContext context, bool cut)
    {
        string path = context.Request.Path.Value!["/v2/".Length..];
        string method = context.Request.Method;
        if (path.Length == 0)
        {
            await Answer(context, 200, string.Empty);
            return;
        }

        if (context.Request.ContentLength > LargestBody)
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            await Answer(context, 413, "<html>too large</html>");
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        (int status, string text) = path.Split("/blobs/uploads/") is [var repository, var upload]
            ? ServeUpload(context, method, repository, upload, body.ToArray())
            : path.Split("/blobs/") is [var name, var digest]
                ? ServeBlob(context, name, digest)
                : path.Split("/manifests/") is [var place, var reference]
                    ? ServeManifest(context, method, place, reference, body.ToArray())
                    : path.EndsWith("/tags/list", StringComparison.Ordinal)
                        ? ServeTags(path[..^"/tags/list".Length])
                        : (404, string.Empty);
        if (cut)
        {
            context.Abort();
            return;
        }

        await Answer(context, status, text);
    }

    private (int Status, string Text) ServeBlob(HttpContext context, string repository, string digest)
    {
        lock (_gate)
        {
            if (!_blobs.TryGetValue((repository, digest), out byte[]? content))
            {
                return (404, Error("BLOB_UNKNOWN", "unknown"));
            }

            TellDigest(context, digest);
            context.Response.ContentLength = content.Length;
            return (200, string.Empty);
        }
    }

    private (int Status, string Text) ServeUpload(HttpContext context, string method, string repository, string id, byte[] body)
    {
        lock (_gate)
        {
            if (method == "POST")
            {
                return Begin(context, repository);
            }

            if (!_uploads.TryGetValue(id, out (string Repository, MemoryStream Content) upload))
            {
                return (404, Error("BLOB_UPLOAD_UNKNOWN", "unknown"));
            }

            if (method == "PATCH" && context.Request.Headers.ContentRange.ToString() is { Length: > 0 } range && range.Split('-')[0] != $"{upload.Content.Length}")
            {
                TellUpload(context, repository, id, upload.Content);
                return (416, Error("BLOB_UPLOAD_INVALID", "out of order"));
            }

            if (KeepsChunks || method != "PATCH")
            {
                upload.Content.Write(body);
            }

            TellUpload(context, repository, id, upload.Content);
            return method switch
            {
                "GET" => (204, string.Empty),
                "PATCH" => (202, string.Empty),
                "DELETE" => GiveUp(id),
                "PUT" => Complete(context, repository, id, upload.Content.ToArray()),
                _ => (405, Error("UNSUPPORTED", "no")),
            };
        }
    }

    private (int Status, string Text) Begin(HttpContext context, string repository)
    {
        string mount = context.Request.Query["mount"].ToString();
        if (Mounts && mount.Length > 0 && _blobs.TryGetValue((context.Request.Query["from"].ToString(), mount), out byte[]? content))
        {
            _blobs[(repository, mount)] = content;
            TellDigest(context, mount);
            return (201, string.Empty);
        }

        string id = $"u{++_nextUpload}";
        _uploads[id] = (repository, new MemoryStream());
        TellUpload(context, repository, id, _uploads[id].Content);
        if (SmallestChunk is { } least)
        {
            context.Response.Headers["OCI-Chunk-Min-Length"] = $"{least}";
        }

        return (202, string.Empty);
    }

    private (int Status, string Text) GiveUp(string id)
    {
        _uploads.Remove(id);
        return (204, string.Empty);
    }

    private (int Status, string Text) ServeTags(string repository)
    {
        string[] tags = [.. Tags.Where(t => t.StartsWith($"{repository}:", StringComparison.Ordinal)).Select(t => t[(repository.Length + 1)..])];
        return tags.Length == 0
            ? (404, Error("NAME_UNKNOWN", "unknown"))
            : (200, new JsonObject { ["name"] = repository, ["tags"] = new JsonArray([.. tags.Select(t => JsonValue.Create(t))]) }.ToJsonString());
    }

    private (int Status, string Text) Complete(HttpContext context, string repository, string id, byte[] content)
    {
        _uploads.Remove(id);
        string digest = context.Request.Query["digest"].ToString();
        if (Spoil(content) || Digest.Of(content).ToString() != digest)
        {
            return (400, Error("DIGEST_INVALID", "not the content's digest"));
        }

        _blobs[(repository, digest)] = content;
        TellDigest(context, digest);
        return (201, string.Empty);
    }

    private (int Status, string Text) ServeManifest(HttpContext context, string method, string repository, string reference, byte[] body)
    {
        lock (_gate)
        {
            if (method != "PUT")
            {
                if (!_manifests.TryGetValue((repository, reference), out (string MediaType, byte[] Content) found))
                {
                    return (404, Error("MANIFEST_UNKNOWN", "unknown"));
                }

                TellDigest(context, Digest.Of(found.Content).ToString());
                return (200, string.Empty);
            }

            if (Missing(repository, JsonNode.Parse(body)!.AsObject()) is { } missing)
            {
                return (400, Error("MANIFEST_BLOB_UNKNOWN", missing));
            }

            _manifests[(repository, reference)] = (context.Request.ContentType!, body);
            _manifests[(repository, Digest.Of(body).ToString())] = (context.Request.ContentType!, body);
            TellDigest(context, Digest.Of(body).ToString());
            return (201, string.Empty);
        }
    }

    /// <summary>What a manifest or an index speaks of but the repository lacks: nothing incomplete is ever taken.</summary>
    private string? Missing(string repository, JsonObject document)
    {
        IEnumerable<string> blobs = (document["layers"]?.AsArray() ?? []).Append(document["config"]).Where(d => d is not null).Select(d => (string)d!["digest"]!);
        IEnumerable<string> manifests = (document["manifests"]?.AsArray() ?? []).Select(d => (string)d!["digest"]!);
        return blobs.FirstOrDefault(d => !_blobs.ContainsKey((repository, d))) ?? manifests.FirstOrDefault(d => !_manifests.ContainsKey((repository, d)));
    }

    private async Task ReadHalf(HttpContext context)
    {
        byte[] half = new byte[(context.Request.ContentLength ?? 0) / 2];
        await context.Request.Body.ReadExactlyAsync(half, context.RequestAborted);
        lock (_gate)
        {
            if (KeepsCutBodies && _uploads.TryGetValue(context.Request.Path.Value!.Split('/')[^1], out (string Repository, MemoryStream Content) upload))
            {
                upload.Content.Write(half);
            }
        }
    }

    private void TellUpload(HttpContext context, string repository, string id, MemoryStream content)
    {
        context.Response.Headers.Location = Place($"/v2/{repository}/blobs/uploads/{id}");
        if (TellsRanges)
        {
            context.Response.Headers.Range = $"0-{Math.Max(0, content.Length - 1)}";
        }
    }

    private void TellDigest(HttpContext context, string digest)
    {
        if (TellsDigests)
        {
            context.Response.Headers["Docker-Content-Digest"] = ToldDigest(digest);
        }
    }

    private static async Task Answer(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        if (text.Length > 0 && context.Request.Method != "HEAD")
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
        }
    }

    public static string Error(string code, string message) =>
        new JsonObject { ["errors"] = new JsonArray(new JsonObject { ["code"] = code, ["message"] = message }) }.ToJsonString();
}
