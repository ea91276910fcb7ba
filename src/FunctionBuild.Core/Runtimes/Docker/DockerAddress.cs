using Docker.DotNet;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>Where an engine may be.</summary>
/// <param name="Uri">Its address.</param>
/// <param name="Origin">What named it, for people.</param>
/// <param name="IsNamed">Whether the user named it, so that no other is tried.</param>
internal sealed record DockerAddress(Uri Uri, string Origin, bool IsNamed)
{
    private const string Usual = "a usual place";

    /// <summary>
    /// The host that publishes the engine's ports, when it is another one; null for an engine of this machine.
    /// </summary>
    public string? RemoteHost => Uri.Scheme is "tcp" or "http" or "https" && !Uri.IsLoopback ? Uri.IdnHost : null;

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
        catch (Exception e) when (e is DockerConfigurationException or IOException or UnauthorizedAccessException or UriFormatException or System.Text.Json.JsonException)
        {
            throw Invalid($"Docker's configuration in '{settings.DockerConfig}' or its environment variables name no engine: {e.Message}", settings.DockerConfig, e);
        }

        if (!first.IsNamed)
        {
            return [first with { Origin = Usual }, .. Others(environment).Select(a => new DockerAddress(new Uri(a), Usual, false))];
        }

        return first.Uri.Scheme switch
        {
            "ssh" => throw Invalid($"{first.Origin} names '{first.Uri}', and engines are not reached through ssh. Forward the engine's socket (ssh -L /tmp/docker.sock:/var/run/docker.sock host) and name that in DOCKER_HOST.", first.Uri),
            "unix" or "npipe" => [first],
            "tcp" or "http" when settings.DockerTlsVerify is null => [first],
            "tcp" or "http" or "https" => throw Invalid($"{first.Origin} names '{first.Uri}' with TLS, which is not supported. Use a socket of this machine, a forwarded one, or tcp without TLS.", first.Uri),
            _ => throw Invalid($"{first.Origin} names '{first.Uri}'. Expected unix:///path, tcp://host:port or npipe://./pipe/name.", first.Uri),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Uri.Scheme == "unix" ? $"unix://{Uri.LocalPath}" : Uri.ToString().TrimEnd('/');

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
