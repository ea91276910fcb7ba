using System.Text;
using System.Text.Json;
using Docker.DotNet;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>Where an engine may be.</summary>
/// <param name="Uri">Its address.</param>
/// <param name="Origin">What named it, for people.</param>
/// <param name="IsNamed">Whether the user named it, so that no other is tried.</param>
internal sealed record DockerAddress(Uri Uri, string Origin, bool IsNamed)
{
    private const string Usual = "a usual place";
    private const int PlainPort = 2375;
    private const int TlsPort = 2376;

    /// <summary>Where the files of TLS are; null without TLS.</summary>
    public DockerTlsSource? Tls { get; init; }

    /// <summary>Whether it is reached over TCP.</summary>
    public bool IsTcp => Uri.Scheme is "tcp" or "http" or "https";

    /// <summary>
    /// The host that publishes the engine's ports, when it is another one; null for an engine of this machine.
    /// </summary>
    public string? RemoteHost => IsTcp && !Uri.IsLoopback ? Uri.IdnHost : null;

    /// <summary>
    /// The addresses to try, in order: the one that <c>DOCKER_HOST</c> or the context of Docker's command line names;
    /// otherwise the sockets at which Docker, Podman, Colima and Rancher Desktop listen.
    /// </summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidDockerAddress</c>.</exception>
    public static IReadOnlyList<DockerAddress> Find(CredentialEnvironment environment)
    {
        var settings = new DockerSettings(environment);
        DockerAddress first;
        try
        {
            Uri uri = new DockerConfig(settings).GetEndpoint();
            first = settings.DockerHost is not null
                ? new DockerAddress(uri, "DOCKER_HOST", true)
                : new DockerAddress(uri, settings.DockerContext is { } context ? $"DOCKER_CONTEXT '{context}'" : $"the current context of '{settings.DockerConfig}'", uri != Default);
        }
        catch (Exception e) when (e is DockerConfigurationException or IOException or UnauthorizedAccessException or UriFormatException or JsonException)
        {
            throw Invalid($"Docker's configuration in '{settings.DockerConfig}' or its environment variables name no engine: {e.Message}", settings.DockerConfig, e);
        }

        if (!first.IsNamed)
        {
            return [first with { Origin = Usual }, .. Others(environment).Select(a => new DockerAddress(new Uri(a), Usual, false))];
        }

        return first.Uri.Scheme switch
        {
            "ssh" => throw Invalid($"{first.Origin} names '{first.Uri}', and engines are not reached through ssh. Forward the engine's socket (ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {first.Uri.GetLeftPart(UriPartial.Authority)}) and set DOCKER_HOST=unix:///tmp/docker.sock. The functions' ports are not forwarded: publish them with the annotation render.crossplane.io/runtime-docker-publish-address, and name the host in runtime-docker-target.", first.Uri),
            "unix" or "npipe" => [first],
            "tcp" or "http" or "https" => [WithTls(first, settings)],
            _ => throw Invalid($"{first.Origin} names '{first.Uri}'. Expected unix:///path, tcp://host:port, https://host:port or npipe://./pipe/name.", first.Uri),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Uri.Scheme == "unix" ? $"unix://{Uri.LocalPath}" : Uri.ToString().TrimEnd('/');

    private static DockerAddress WithTls(DockerAddress address, DockerSettings settings)
    {
        bool isHttps = address.Uri.Scheme == "https";
        DockerTlsSource? tls = settings.DockerHost is null
            ? OfContext(settings, isHttps)
            : isHttps || settings.DockerTlsVerify is not null || settings.DockerTls is not null
                ? new DockerTlsSource(settings.DockerCertPath ?? settings.DockerConfig, settings.DockerCertPath is not null, isHttps || settings.DockerTlsVerify is not null)
                : null;

        // Of the schemes only tcp has no port of its own.
        Uri uri = address.Uri.Port > 0 ? address.Uri : new UriBuilder(address.Uri) { Port = tls is null ? PlainPort : TlsPort }.Uri;
        return address with { Uri = uri, Tls = tls };
    }

    /// <summary>A context has files of its own; the environment's are for <c>DOCKER_HOST</c>.</summary>
    private static DockerTlsSource? OfContext(DockerSettings settings, bool isHttps)
    {
        try
        {
            string? name = settings.DockerContext;
            if (name is null)
            {
                using JsonDocument config = new DockerConfig(settings).Parse();
                name = OciJson.OptionalString(config.RootElement, "currentContext") ?? string.Empty;
            }

            string contexts = Path.Combine(settings.DockerConfig, "contexts");
            string hash = Digest.Of(Encoding.UTF8.GetBytes(name)).Hex;
            using JsonDocument meta = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(contexts, "meta", hash, "meta.json")));
            bool isUnchecked = meta.RootElement.GetProperty("Endpoints").GetProperty("docker").TryGetProperty("SkipTLSVerify", out JsonElement skip) && skip.ValueKind == JsonValueKind.True;
            var source = new DockerTlsSource(Path.Combine(contexts, "tls", hash, "docker"), false, !isUnchecked);
            return isHttps || isUnchecked || source.HasFiles ? source : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            throw Invalid($"Docker's configuration in '{settings.DockerConfig}' does not tell whether TLS is needed: {e.Message}", settings.DockerConfig, e);
        }
    }

    private static Uri Default { get; } = new(OperatingSystem.IsWindows() ? "npipe://./pipe/docker_engine" : "unix:///var/run/docker.sock");

    private static IEnumerable<string> Others(CredentialEnvironment environment)
    {
        if (OperatingSystem.IsWindows())
        {
            yield return "npipe://./pipe/podman-machine-default";
            yield break;
        }

        const string Scheme = "unix://";
        string home = environment.Home;
        string? runtime = environment.Variable("XDG_RUNTIME_DIR") is { Length: > 0 } set ? set : null;
        if (runtime is not null)
        {
            yield return Scheme + Path.Combine(runtime, "docker.sock");
        }

        yield return Scheme + Path.Combine(home, ".docker/run/docker.sock");
        yield return Scheme + Path.Combine(home, ".docker/desktop/docker.sock");
        yield return Scheme + Path.Combine(home, ".rd/docker.sock");
        yield return Scheme + Path.Combine(home, ".colima/default/docker.sock");
        if (runtime is not null)
        {
            yield return Scheme + Path.Combine(runtime, "podman/podman.sock");
        }

        yield return "unix:///run/podman/podman.sock";
    }

    private static FunctionBuildException Invalid(string message, object target, Exception? cause = null) =>
        new("InvalidDockerAddress", FaultKind.InvalidArgument, message, target, cause);
}
