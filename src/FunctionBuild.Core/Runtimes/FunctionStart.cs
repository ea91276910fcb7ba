using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Runtimes;

/// <summary>A function that is to be run, and how its user wants it run. What a runtime has no use for, it ignores.</summary>
/// <param name="Name">The name by which pipeline steps refer to it.</param>
public sealed record FunctionStart(string Name)
{
    /// <summary>The function's package in a workspace; null when it is only known by reference or by address.</summary>
    public FunctionImage? Image { get; init; }

    /// <summary>The image reference, for engines that can pull (<c>render.crossplane.io/runtime-docker-image</c>, or the package).</summary>
    public string? Reference { get; init; }

    /// <summary>Environment variables for the function's process, in order; they win over the image's.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>Where the function listens already, host and port (<c>render.crossplane.io/runtime-development-target</c>).</summary>
    public string? DevelopmentTarget { get; init; }

    /// <summary>When an engine pulls the image (<c>render.crossplane.io/runtime-docker-pull-policy</c>).</summary>
    public PullPolicy PullPolicy { get; init; } = PullPolicy.IfNotPresent;

    /// <summary>What becomes of an engine's container afterwards (<c>render.crossplane.io/runtime-docker-cleanup</c>).</summary>
    public ContainerCleanup Cleanup { get; init; } = ContainerCleanup.Remove;

    /// <summary>The container's name (<c>render.crossplane.io/runtime-docker-name</c>); one that exists by this name is used again. Null for a name of our own.</summary>
    public string? ContainerName { get; init; }

    /// <summary>
    /// The engine's address on which it publishes the function's port (<c>render.crossplane.io/runtime-docker-publish-address</c>);
    /// null for loopback, or for all addresses of an engine on another machine. Without use in a <see cref="ContainerNetwork"/>.
    /// </summary>
    public string? PublishAddress { get; init; }

    /// <summary>
    /// The host by which the function is reached in its container (<c>render.crossplane.io/runtime-docker-target</c>); null for
    /// the address at which the port is published, or the container's own in a <see cref="ContainerNetwork"/>.
    /// </summary>
    public string? ContainerHost { get; init; }

    /// <summary>
    /// The engine's network that the container joins (<c>render.crossplane.io/runtime-docker-network</c>). No port is
    /// published then, and the function is reached inside the network. Null for the engine's default, with a published port.
    /// </summary>
    public string? ContainerNetwork { get; init; }
}
