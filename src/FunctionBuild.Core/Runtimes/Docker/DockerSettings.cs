using Docker.DotNet;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>What the environment says to Docker's own command line.</summary>
internal sealed class DockerSettings(CredentialEnvironment environment) : IDockerCliSettings
{
    public string DockerConfig => environment.Full(Set("DOCKER_CONFIG") ?? Path.Combine(environment.Home, ".docker"));

    // The library knows named pipes by the shorter of their two spellings.
    public string? DockerHost => Set("DOCKER_HOST")?.Replace("npipe:////./", "npipe://./", StringComparison.Ordinal);

    public string? DockerTlsVerify => Set("DOCKER_TLS_VERIFY");

    public string? DockerContext => Set("DOCKER_CONTEXT");

    /// <summary>Whether TLS is asked for without a check of the engine's certificate.</summary>
    public string? DockerTls => Set("DOCKER_TLS");

    /// <summary>The folder that is named for the files of TLS; null for <see cref="DockerConfig"/>.</summary>
    public string? DockerCertPath => Set("DOCKER_CERT_PATH") is { } folder ? environment.Full(folder) : null;

    private string? Set(string variable) => environment.Variable(variable) is { Length: > 0 } value ? value : null;
}
