using System.Globalization;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>A function's container in an engine, by its name or id.</summary>
internal sealed class EngineContainer(DockerEngine engine, FunctionStart start, string name)
{
    /// <summary>The label that marks containers as ours; its value is the function's name.</summary>
    public const string FunctionLabel = "io.functionbuild.function";

    /// <summary>The label that names the config digest of the image that was loaded for a container.</summary>
    public const string ImageLabel = "io.functionbuild.image";

    private const int StopSeconds = 2;
    private const int LogLines = 200;
    private const int LogBytes = 32 * 1024;
    private const string LoopbackAddress = "127.0.0.1";
    private const string AllAddresses = "0.0.0.0";

    // The engine chooses one that is free.
    private const string AnyPort = "0";

    private static readonly TimeSpan CreationTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StepTime = TimeSpan.FromSeconds(15);
    private static readonly string Port = $"{FunctionPort.Number}/tcp";

    private readonly string _function = start.Name;

    /// <summary>Its name or id.</summary>
    public string Name { get; } = name;

    /// <summary>The container; null when there is none.</summary>
    public Task<ContainerInspectResponse?> FindAsync(CancellationToken cancellation) =>
        engine.AskAsync<ContainerInspectResponse?>(
            $"look up the container '{Name}'",
            async client =>
            {
                try
                {
                    return await client.Containers.InspectContainerAsync(Name, cancellation).ConfigureAwait(false);
                }
                catch (DockerContainerNotFoundException)
                {
                    return null;
                }
            },
            cancellation);

    /// <summary>
    /// Creates it. When the caller cancels, a creation that was asked for is given a little time to end, so that what
    /// comes of it can be removed.
    /// </summary>
    /// <returns>False when the engine has no such image.</returns>
    /// <exception cref="FunctionBuildException">ErrorId <c>NetworkNotFound</c>, <c>DockerRefused</c> or <c>DockerUnavailable</c>.</exception>
    public async Task<bool> CreateAsync(string image, string? configDigest, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var labels = new Dictionary<string, string> { [FunctionLabel] = _function };
        if (configDigest is not null)
        {
            labels[ImageLabel] = configDigest;
        }

        var parameters = new CreateContainerParameters
        {
            Name = Name,
            Image = image,
            Cmd = ["--insecure"],
            Env = [.. start.Environment.Select(v => $"{v.Key}={v.Value}")],
            Labels = labels,
            StopTimeout = TimeSpan.FromSeconds(StopSeconds),
            ExposedPorts = new Dictionary<string, EmptyStruct> { [Port] = default },
            HostConfig = start.ContainerNetwork is { } network
                ? new HostConfig { NetworkMode = network }
                : new HostConfig
                {
                    PortBindings = new Dictionary<string, IList<PortBinding>>
                    {
                        [Port] = [new PortBinding { HostIP = PublishAddress, HostPort = AnyPort }],
                    },
                },
        };
        using var limit = new CancellationTokenSource(CreationTime);
        using CancellationTokenRegistration shorten = cancellation.Register(() => limit.CancelAfter(Grace));
        try
        {
            return await engine.AskAsync(
                $"create a container of '{image}' for function '{_function}'",
                async client =>
                {
                    try
                    {
                        await client.Containers.CreateContainerAsync(parameters, limit.Token).ConfigureAwait(false);
                        return true;
                    }
                    catch (DockerImageNotFoundException e)
                    {
                        // Networks are not found by the same status.
                        return start.ContainerNetwork is { } network && await HasImageAsync(client, image, limit.Token).ConfigureAwait(false)
                            ? throw NetworkMissing(network, e)
                            : false;
                    }
                },
                limit.Token).ConfigureAwait(false);
        }
        catch (FunctionBuildException e) when (e.ErrorId == "DockerRefused")
        {
            // Podman answers as if it had failed itself.
            await ThrowIfNetworkIsMissingAsync(e, cancellation).ConfigureAwait(false);
            throw;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new FunctionBuildException("DockerUnavailable", FaultKind.Connection, $"The engine at '{engine.Address}' did not create a container for function '{_function}' within {CreationTime.TotalSeconds:0} seconds. See whether it runs, and what its log says.", engine.Address.ToString());
        }
        finally
        {
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Starts it; one that runs is left alone.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>ContainerNotStarted</c>, <c>NetworkNotFound</c> or <c>DockerUnavailable</c>.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        try
        {
            await engine.AskAsync($"start the container '{Name}'", client => client.Containers.StartContainerAsync(Name, new ContainerStartParameters(), cancellation), cancellation).ConfigureAwait(false);
        }
        catch (FunctionBuildException e) when (e.ErrorId == "DockerRefused")
        {
            // Docker looks for the network only now.
            await ThrowIfNetworkIsMissingAsync(e, cancellation).ConfigureAwait(false);
            throw new FunctionBuildException("ContainerNotStarted", FaultKind.InvalidOperation, $"The engine at '{engine.Address}' cannot start the container '{Name}' of function '{_function}': {DockerEngine.Reason(e.InnerException!)}", _function, e.InnerException);
        }
    }

    /// <summary>Where the function is reached; null when it does not run.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>PortNotPublished</c>, <c>ContainerNotInNetwork</c> or <c>NoAddressInNetwork</c>.</exception>
    public async Task<(string Host, int Port)?> FindPlaceAsync(CancellationToken cancellation)
    {
        ContainerInspectResponse? container = await FindAsync(cancellation).ConfigureAwait(false);
        if (container?.State is not { Running: true })
        {
            return null;
        }

        return start.ContainerNetwork is { } network ? (AddressIn(network, container), FunctionPort.Number) : PublishedPlace(container);
    }

    /// <summary>Waits until it has ended; its exit code.</summary>
    public async Task<long> WaitAsync(CancellationToken cancellation)
    {
        ContainerWaitResponse end = await engine.AskAsync($"wait for the container '{Name}'", client => client.Containers.WaitContainerAsync(Name, cancellation), cancellation).ConfigureAwait(false);
        return end.StatusCode;
    }

    /// <summary>The end of what it wrote to standard output and error, in the order in which it came.</summary>
    public async Task<string> ReadLogAsync(CancellationToken cancellation)
    {
        var parameters = new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = LogLines.ToString(CultureInfo.InvariantCulture) };
        return await engine.AskAsync(
            $"show the log of the container '{Name}'",
            async client =>
            {
                using MultiplexedStream log = await client.Containers.GetContainerLogsAsync(Name, parameters, cancellation).ConfigureAwait(false);
                using var kept = new MemoryStream();
                byte[] buffer = new byte[LogBytes];
                MultiplexedStream.ReadResult read;
                while (!(read = await log.ReadOutputAsync(buffer, 0, buffer.Length, cancellation).ConfigureAwait(false)).EOF)
                {
                    if (kept.Length + read.Count > LogBytes)
                    {
                        byte[] end = kept.ToArray();
                        int keep = Math.Max(0, LogBytes - read.Count);
                        kept.SetLength(0);
                        kept.Write(end.AsSpan(Math.Max(0, end.Length - keep)));
                    }

                    kept.Write(buffer, 0, read.Count);
                }

                return Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length).TrimEnd();
            },
            cancellation).ConfigureAwait(false);
    }

    /// <summary>The end of its log, for an error; empty when the engine does not give it. Never throws.</summary>
    public async Task<string> TryReadLogAsync()
    {
        using var limit = new CancellationTokenSource(StepTime);
        try
        {
            return await ReadLogAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FunctionBuildException or OperationCanceledException)
        {
            return string.Empty;
        }
    }

    /// <summary>Stops it, politely first. Never throws.</summary>
    public Task StopAsync() => TryAsync(
        $"stop the container '{Name}'",
        (client, token) => client.Containers.StopContainerAsync(Name, new ContainerStopParameters { WaitBeforeKillSeconds = StopSeconds }, token));

    /// <summary>Waits until one that was stopped has ended: an engine that had to kill it may say so a little early. Never throws.</summary>
    public Task SettleAsync() => TryAsync(
        $"wait for the container '{Name}'",
        async (client, token) =>
        {
            await client.Containers.WaitContainerAsync(Name, token).ConfigureAwait(false);
            return true;
        });

    /// <summary>Removes it and its anonymous volumes. Never throws.</summary>
    public Task RemoveAsync() => TryAsync(
        $"remove the container '{Name}'",
        async (client, token) =>
        {
            await client.Containers.RemoveContainerAsync(Name, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, token).ConfigureAwait(false);
            return true;
        });

    private (string Host, int Port) PublishedPlace(ContainerInspectResponse container)
    {
        PortBinding? binding = container.NetworkSettings?.Ports is { } ports && ports.TryGetValue(Port, out IList<PortBinding>? bindings) ? bindings?.FirstOrDefault() : null;
        if (binding is null || !int.TryParse(binding.HostPort, NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port == 0)
        {
            throw new FunctionBuildException("PortNotPublished", FaultKind.InvalidOperation, $"The container '{Name}' of function '{_function}' does not publish port {FunctionPort.Number}. Create it with -p 127.0.0.1:0:{FunctionPort.Number}, or remove it, so that one that does is made.", _function);
        }

        string host = start.ContainerHost ?? binding.HostIP switch
        {
            null or "" or AllAddresses or LoopbackAddress => engine.Address.RemoteHost ?? LoopbackAddress,
            "::" => engine.Address.RemoteHost ?? "::1",
            string address => address,
        };
        return (host, port);
    }

    // Its name is known only to other containers, and not in all networks.
    private string AddressIn(string network, ContainerInspectResponse container)
    {
        EndpointSettings endpoint = container.NetworkSettings?.Networks?.FirstOrDefault(n => n.Key == network || n.Value.NetworkID?.StartsWith(network, StringComparison.Ordinal) == true).Value
            ?? throw new FunctionBuildException("ContainerNotInNetwork", FaultKind.InvalidOperation, $"The container '{Name}' of function '{_function}' is not in the network '{network}'. Remove the container, so that one that is will be made, or correct the annotation render.crossplane.io/runtime-docker-network.", _function);
        string?[] addresses = [start.ContainerHost, endpoint.IPAddress, endpoint.GlobalIPv6Address];
        return addresses.FirstOrDefault(a => !string.IsNullOrEmpty(a))
            ?? throw new FunctionBuildException("NoAddressInNetwork", FaultKind.InvalidOperation, $"The container '{Name}' of function '{_function}' has no address in the network '{network}'. Name the host by which it is reached in the annotation render.crossplane.io/runtime-docker-target.", _function);
    }

    // All addresses are none in particular: Podman takes 0.0.0.0 at its word, and then nothing reaches the port.
    private string PublishAddress => (start.PublishAddress ?? (engine.Address.RemoteHost is null ? LoopbackAddress : AllAddresses)) switch
    {
        AllAddresses => string.Empty,
        string address => address,
    };

    private async Task ThrowIfNetworkIsMissingAsync(FunctionBuildException refusal, CancellationToken cancellation)
    {
        // With a colon it is another container's network.
        if (start.ContainerNetwork is { } network && !network.Contains(':') && !await HasNetworkAsync(network, cancellation).ConfigureAwait(false))
        {
            throw NetworkMissing(network, refusal.InnerException ?? refusal);
        }
    }

    private FunctionBuildException NetworkMissing(string network, Exception cause) => new(
        "NetworkNotFound",
        FaultKind.NotFound,
        $"The engine at '{engine.Address}' cannot create a container for function '{_function}' in the network '{network}': {DockerEngine.Reason(cause)}. Create the network, or correct the annotation render.crossplane.io/runtime-docker-network.",
        network,
        cause);

    private Task<bool> HasNetworkAsync(string network, CancellationToken cancellation) =>
        engine.AskAsync(
            $"look up the network '{network}'",
            async client =>
            {
                try
                {
                    await client.Networks.InspectNetworkAsync(network, cancellation).ConfigureAwait(false);
                    return true;
                }
                catch (DockerNetworkNotFoundException)
                {
                    return false;
                }
            },
            cancellation);

    private static async Task<bool> HasImageAsync(DockerClient client, string image, CancellationToken cancellation)
    {
        try
        {
            await client.Images.InspectImageAsync(image, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (DockerImageNotFoundException)
        {
            return false;
        }
    }

    private async Task TryAsync(string step, Func<DockerClient, CancellationToken, Task<bool>> call)
    {
        using var limit = new CancellationTokenSource(StepTime);
        try
        {
            await engine.AskAsync(step, client => call(client, limit.Token), limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FunctionBuildException or OperationCanceledException)
        {
            // An engine that is gone has no container either, or keeps it whatever is asked.
        }
    }
}
