using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;
using Docker.DotNet.NativeHttp;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Registry.Authentication;
using Platform = FunctionBuild.Core.Oci.Platform;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>A Docker-compatible engine that answers.</summary>
internal sealed class DockerEngine : IDisposable
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    private readonly DockerClient _client;
    private readonly DockerTls? _tls;

    private DockerEngine(DockerAddress address, DockerClient client, DockerTls? tls, Platform platform)
    {
        Address = address;
        _client = client;
        _tls = tls;
        Platform = platform;
    }

    /// <summary>Where it is.</summary>
    public DockerAddress Address { get; }

    /// <summary>What it runs images for.</summary>
    public Platform Platform { get; }

    /// <summary>Finds the first engine that answers.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>DockerUnavailable</c>, <c>InvalidDockerAddress</c>, or what <see cref="DockerTls.Load"/> throws.</exception>
    public static async Task<DockerEngine> ConnectAsync(CredentialEnvironment environment, CancellationToken cancellation)
    {
        IReadOnlyList<DockerAddress> addresses = DockerAddress.Find(environment);
        var tried = new List<string>();
        Exception? cause = null;
        foreach (DockerAddress address in addresses)
        {
            if (address.Uri.Scheme == "unix" && !File.Exists(address.Uri.LocalPath))
            {
                tried.Add($"{address} (no such socket)");
                continue;
            }

            DockerTls? tls = address.Tls is { } source ? DockerTls.Load(source) : null;
            DockerClient client = Build(address, tls);
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                limit.CancelAfter(AnswerTime);
                await client.System.PingAsync(limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
                VersionResponse version = await client.System.GetVersionAsync(limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
                return new DockerEngine(address, client, tls, new Platform(version.Os, version.Arch));
            }
            catch (Exception e) when (IsBroken(e) || e is DockerApiException or JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                client.Dispose();
                tls?.Dispose();
                tried.Add($"{address} ({tls?.Refusal ?? (e is OperationCanceledException ? $"no answer within {AnswerTime.TotalSeconds:0} seconds" : Reason(e))})");
                cause = e;
            }
            catch
            {
                client.Dispose();
                tls?.Dispose();
                throw;
            }
        }

        throw new FunctionBuildException(
            "DockerUnavailable",
            FaultKind.Connection,
            addresses[0].IsNamed
                ? $"The engine that {addresses[0].Origin} names does not answer: {tried[0]}. Start it, or correct {addresses[0].Origin}."
                : $"No Docker-compatible engine answers. Tried {string.Join(", ", tried)}. Start Docker or Podman (podman system service), or name the engine in DOCKER_HOST.",
            addresses[0].ToString(),
            cause);
    }

    /// <summary>Asks the engine for something.</summary>
    /// <param name="step">What it is asked to do, as the end of "it broke off while it …".</param>
    /// <param name="call">The request; what it throws as <see cref="DockerApiException"/> is the engine's refusal.</param>
    /// <param name="cancellation">The caller's token; it also ends a request that does not heed it.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>DockerUnavailable</c>: it does not answer any more. ErrorId <c>DockerRefused</c>: it refuses.</exception>
    public async Task<T> AskAsync<T>(string step, Func<DockerClient, Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call(_client).WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (DockerApiException e)
        {
            throw new FunctionBuildException("DockerRefused", FaultKind.InvalidOperation, $"The engine at '{Address}' refuses to {step}: {Reason(e)}", Address.ToString(), e);
        }
        catch (Exception e) when (IsBroken(e) || e is OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new FunctionBuildException("DockerUnavailable", FaultKind.Connection, $"The engine at '{Address}' does not answer any more; it was asked to {step}: {Reason(e)}. See whether it runs, and what its log says.", Address.ToString(), e);
        }
    }

    /// <summary>What the engine, or the system, said.</summary>
    public static string Reason(Exception e)
    {
        if (e is not DockerApiException refusal)
        {
            return e is OperationCanceledException ? "the time of the request is over" : e.GetBaseException().Message.TrimEnd('.');
        }

        string body = refusal.ResponseBody ?? string.Empty;
        try
        {
            using JsonDocument document = OciJson.ParseObject(System.Text.Encoding.UTF8.GetBytes(body));
            return OciJson.OptionalString(document.RootElement, "message")?.Trim() ?? body;
        }
        catch (FormatException)
        {
            return body.Length > 0 ? body.Trim() : $"status {(int)refusal.StatusCode}";
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _tls?.Dispose();
    }

    private static DockerClient Build(DockerAddress address, DockerTls? tls)
    {
        DockerClientBuilder builder = new DockerClientBuilder().WithEndpoint(address.Uri).WithAuthProvider(tls);
        return !address.IsTcp ? builder.Build() : builder.WithTransportOptions(new NativeHttpTransportOptions
        {
            ConfigureHandler = handler =>
            {
                // A request that waits for a container holds its connection.
                handler.MaxConnectionsPerServer = int.MaxValue;
                handler.UseProxy = !address.Uri.IsLoopback;
            },
        }).Build();
    }

    private static bool IsBroken(Exception e) => e is HttpRequestException or IOException or SocketException or TimeoutException or ObjectDisposedException;
}
