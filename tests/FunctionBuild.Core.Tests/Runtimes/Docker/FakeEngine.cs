using System.Collections.Concurrent;
using System.Formats.Tar;
using System.Net;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace FunctionBuild.Core.Tests.Runtimes.Docker;

/// <summary>
/// An engine on a Unix domain socket, or on a port, that keeps names of images and containers, and fails where a test wants
/// it to. It knows images by their names alone, as one with containerd's store does.
/// </summary>
internal sealed class FakeEngine : IAsyncDisposable
{
    private static readonly TimeSpan LongestStall = TimeSpan.FromSeconds(60);

    private readonly TestFolder _folder;
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, bool> _held = [];
    private readonly Http2Listener _function = new();
    private WebApplication? _app;

    private FakeEngine(TestFolder folder) => _folder = folder;

    public string Address => Port is { } port ? $"tcp://127.0.0.1:{port}" : $"unix://{Socket}";

    /// <summary>The port on which it listens; null when that is a socket.</summary>
    public int? Port { get; private set; }

    public CredentialEnvironment Environment => new(v => v == "DOCKER_HOST" ? Address : v == "REGISTRY_AUTH_FILE" ? AuthFile : Variables.GetValueOrDefault(v), _folder.Path);

    public Dictionary<string, string> Variables { get; } = [];

    public string? AuthFile { get; set; }

    public ConcurrentDictionary<string, bool> Images { get; } = [];

    /// <summary>The diff IDs of images that have been loaded, by name.</summary>
    public ConcurrentDictionary<string, JsonNode> DiffIds { get; } = [];

    public ConcurrentDictionary<string, JsonNode> Containers { get; } = [];

    /// <summary>The networks, and the address of the containers in each.</summary>
    public ConcurrentDictionary<string, string> NetworkAddresses { get; } = [];

    /// <summary>Whether a container's network is looked for when it starts, as Docker does, and not when it is made.</summary>
    public bool LooksForNetworksLate { get; set; }

    /// <summary>Method and path of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Answers a request in the engine's place; false leaves it to the engine.</summary>
    public Func<HttpContext, Task<bool>> Override { get; set; } = _ => Task.FromResult(false);

    /// <summary>The first request that has this in its method and path is done, but not answered.</summary>
    public string? HangAt { get; set; }

    /// <summary>Ends when that request has come.</summary>
    public Task Reached => _reached.Task.WaitAsync(LongestStall, TestContext.Current.CancellationToken);

    public string Architecture { get; set; } = "amd64";

    private string Socket => _folder.Combine("engine.sock");

    /// <param name="folder">Where its socket is.</param>
    /// <param name="isTcp">Whether it listens on a port instead.</param>
    /// <param name="tls">How it speaks TLS; null for no TLS.</param>
    public static async Task<FakeEngine> Start(TestFolder folder, bool isTcp = false, HttpsConnectionAdapterOptions? tls = null)
    {
        var engine = new FakeEngine(folder);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        if (tls is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.UseKestrelCore().ConfigureKestrel(o =>
        {
            if (tls is not null)
            {
                o.Listen(IPAddress.Loopback, 0, l => l.UseHttps(tls));
            }
            else if (isTcp)
            {
                o.Listen(IPAddress.Loopback, 0);
            }
            else
            {
                o.ListenUnixSocket(engine.Socket);
            }

            o.Limits.MaxRequestBodySize = null;
            o.Limits.MinRequestBodyDataRate = null;
        });
        engine._app = builder.Build();
        engine._app.Run(engine.ServeAsync);
        await engine._app.StartAsync(TestContext.Current.CancellationToken);
        engine.Port = isTcp || tls is not null ? new Uri(engine._app.Urls.Single()).Port : null;
        return engine;
    }

    public RuntimeOptions Options(Action<int>? onLoaded = null) => new() { Environment = Environment, ListenTime = TimeSpan.FromSeconds(30), OnLoaded = onLoaded };

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app!.StopAsync(limit.Token);
        await _app.DisposeAsync();
        _function.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        string request = $"{context.Request.Method} {context.Request.Path}";
        Requests.Enqueue($"{request}{context.Request.QueryString}");
        if (await Override(context))
        {
            return;
        }

        (int status, JsonNode? answer) = await AnswerAsync(context, request);
        if (HangAt is { } place && request.Contains(place, StringComparison.Ordinal) && _held.TryAdd(place, true))
        {
            _reached.TrySetResult();
            await Task.Delay(LongestStall, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        if (answer is not null)
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(answer.ToJsonString());
        }
    }

    private async Task<(int Status, JsonNode? Answer)> AnswerAsync(HttpContext context, string request)
    {
        string[] parts = request.Split(' ', '/').Where(p => p.Length > 0).ToArray();
        string name = string.Join('/', parts.Skip(2).SkipLast(1));
        switch (parts)
        {
            case ["GET", "_ping"]:
                return (200, null);
            case ["GET", "version"]:
                return (200, new JsonObject { ["Os"] = "linux", ["Arch"] = Architecture, ["Version"] = "1", ["ApiVersion"] = "1.41" });
            case ["POST", "images", "load"]:
                (string tag, JsonNode layers) = await ReadArchiveAsync(context.Request.Body);
                (DiffIds[tag], Images[tag]) = (layers, true);
                return (200, new JsonObject { ["stream"] = $"Loaded image: {tag}" });
            case ["GET", "images", .., "json"]:
                return Images.ContainsKey(name) ? (200, new JsonObject { ["Id"] = "sha256:1", ["RootFS"] = new JsonObject { ["Type"] = "layers", ["Layers"] = DiffIds.GetValueOrDefault(name)?.DeepClone() } }) : NoSuch("image");
            case ["DELETE", "images", ..]:
                string removed = string.Join('/', parts.Skip(2));
                return Containers.Values.Any(c => c["Image"]!.GetValue<string>() == removed) ? (409, new JsonObject { ["message"] = "a container is using the image" })
                    : Images.TryRemove(removed, out _) ? (200, new JsonArray())
                    : NoSuch("image");
            case ["POST", "containers", "create"]:
                JsonNode body = (await JsonNode.ParseAsync(context.Request.Body))!;
                if (!Images.ContainsKey(body["Image"]!.GetValue<string>()))
                {
                    return NoSuch("image");
                }

                if (!LooksForNetworksLate && LacksNetwork(body))
                {
                    return NoSuch("network");
                }

                Containers[context.Request.Query["name"]!] = body;
                return (201, new JsonObject { ["Id"] = context.Request.Query["name"].ToString(), ["Warnings"] = new JsonArray() });
            case ["GET", "containers", _, "json"]:
                return Containers.ContainsKey(name) ? (200, Inspect(name)) : NoSuch("container");
            case ["GET", "networks", string network]:
                return NetworkAddresses.ContainsKey(network) ? (200, new JsonObject { ["Name"] = network }) : NoSuch("network");
            case ["POST", "containers", _, "start"] when LooksForNetworksLate && Containers.TryGetValue(name, out JsonNode? started) && LacksNetwork(started):
                return NoSuch("network");
            case ["POST", "containers", _, "start" or "stop"]:
                return Containers.ContainsKey(name) ? (204, null) : NoSuch("container");
            case ["POST", "containers", _, "wait"]:
                await Task.Delay(LongestStall, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                return (200, new JsonObject { ["StatusCode"] = 0 });
            case ["DELETE", "containers", string container]:
                return Containers.TryRemove(container, out _) ? (204, null) : NoSuch("container");
            default:
                return (501, new JsonObject { ["message"] = $"the fake engine does not know {request}" });
        }
    }

    private static async Task<(string Tag, JsonNode Layers)> ReadArchiveAsync(Stream archive)
    {
        await using var tar = new TarReader(archive);
        JsonNode? manifest = null;
        JsonNode? config = null;
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            if (entry.Name == "manifest.json")
            {
                manifest = (await JsonNode.ParseAsync(entry.DataStream!))![0]!;
            }
            else if (entry.Name == manifest?["Config"]!.GetValue<string>())
            {
                config = await JsonNode.ParseAsync(entry.DataStream!);
            }
        }

        return (manifest!["RepoTags"]![0]!.GetValue<string>(), config!["rootfs"]!["diff_ids"]!);
    }

    private static (int Status, JsonNode? Answer) NoSuch(string what) => (404, new JsonObject { ["message"] = $"no such {what}" });

    private static string? NetworkOf(JsonNode container) => container["HostConfig"]!["NetworkMode"]?.GetValue<string>() is { Length: > 0 } network ? network : null;

    private bool LacksNetwork(JsonNode container) => NetworkOf(container) is { } network && !NetworkAddresses.ContainsKey(network);

    private JsonObject Inspect(string name)
    {
        JsonNode host = Containers[name]["HostConfig"]!;
        string? network = NetworkOf(Containers[name]);
        JsonNode? published = host["PortBindings"]?["9443/tcp"]?[0]?["HostIp"]?.DeepClone();
        return new()
        {
            ["Id"] = name,
            ["Name"] = $"/{name}",
            ["State"] = new JsonObject { ["Running"] = true, ["Status"] = "running" },
            ["Config"] = new JsonObject { ["Labels"] = Containers[name]["Labels"]?.DeepClone() },
            ["NetworkSettings"] = new JsonObject
            {
                ["Ports"] = published is null ? [] : new JsonObject
                {
                    ["9443/tcp"] = new JsonArray(new JsonObject { ["HostIp"] = published, ["HostPort"] = $"{_function.Port}" }),
                },
                ["Networks"] = network is null ? [] : new JsonObject { [network] = new JsonObject { ["IPAddress"] = NetworkAddresses[network] } },
            },
        };
    }
}
