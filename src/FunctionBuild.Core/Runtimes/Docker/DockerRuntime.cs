using System.Text.RegularExpressions;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>
/// Runs functions in containers of a Docker-compatible engine: the image is streamed from the workspace into the engine,
/// or pulled by the engine when only its reference is known. What was brought into the engine is removed again.
/// </summary>
public sealed partial class DockerRuntime : IFunctionRuntime, IDisposable
{
    // How often another session may remove an image before our container uses it.
    private const int ImageAttempts = 3;

    private readonly DockerEngine _engine;
    private readonly EngineImages _images;
    private readonly ImagePull _pull;
    private readonly RuntimeOptions _options;

    private DockerRuntime(DockerEngine engine, RuntimeOptions options)
    {
        _engine = engine;
        _options = options;
        _images = new EngineImages(engine, options);
        _pull = new ImagePull(engine, options);
    }

    /// <summary>
    /// Finds the engine: the one that <c>DOCKER_HOST</c> or the context of Docker's command line names, otherwise the
    /// first that answers at the sockets of Docker, Podman, Colima and Rancher Desktop. TLS is as Docker's command line has
    /// it: <c>DOCKER_TLS_VERIFY</c>, <c>DOCKER_TLS</c> and <c>DOCKER_CERT_PATH</c> for <c>DOCKER_HOST</c>, a context's own files for the context.
    /// </summary>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>DockerUnavailable</c>, <c>InvalidDockerAddress</c>, <c>DockerCertificatesNotFound</c>,
    /// <c>ClientCertificateIncomplete</c>, <c>ClientCertificateInvalid</c>, <c>CertificateFileInvalid</c> or <c>CertificateFileUnreadable</c>.
    /// </exception>
    public static async Task<IFunctionRuntime> ConnectAsync(RuntimeOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        DockerEngine engine = await DockerEngine.ConnectAsync(options.Environment, cancellation).ConfigureAwait(false);
        options.Report?.Invoke($"The engine at {engine.Address} answers; it runs images for {engine.Platform}.");
        return new DockerRuntime(engine, options);
    }

    /// <inheritdoc/>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>ImageForAnotherPlatform</c>, <c>ImageLoadFailed</c>, <c>ImageNotFound</c>, <c>ImagePullFailed</c>, <c>NoImage</c>,
    /// <c>ContainerOfAnotherImage</c>, <c>ContainerNotStarted</c>, <c>PortNotPublished</c>, <c>NetworkNotFound</c>,
    /// <c>ContainerNotInNetwork</c>, <c>NoAddressInNetwork</c>, <c>FunctionExited</c>,
    /// <c>FunctionNotListening</c>, <c>DockerRefused</c>, <c>DockerUnavailable</c>, <c>BlobChanged</c> or <c>WorkspaceRemoved</c>.
    /// </exception>
    public async Task<RunningFunction> StartAsync(FunctionStart start, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(start);
        var container = new EngineContainer(_engine, start, start.ContainerName ?? NewName(start.Name));
        var function = new DockerFunction(start, container, _images);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, function.Abandoned);
        try
        {
            if (!await ReuseAsync(start, function, stop.Token).ConfigureAwait(false))
            {
                await CreateAsync(start, function, stop.Token).ConfigureAwait(false);
            }

            await container.StartAsync(stop.Token).ConfigureAwait(false);
            function.BeReady(await WaitAsync(function, stop.Token).ConfigureAwait(false));
            return function;
        }
        catch
        {
            await function.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            function.EndStart();
        }
    }

    /// <summary>Lets the engine go. Functions that were started must have been stopped.</summary>
    public void Dispose() => _engine.Dispose();

    private static string NewName(string function) =>
        $"functionbuild-{Unfit().Replace(function, "-")}-{Guid.NewGuid().ToString("N")[..8]}";

    [GeneratedRegex("[^a-zA-Z0-9_.-]")]
    private static partial Regex Unfit();

    /// <summary>Uses the container of the wanted name, when there is one.</summary>
    private async Task<bool> ReuseAsync(FunctionStart start, DockerFunction function, CancellationToken cancellation)
    {
        if (start.ContainerName is not { } name || await function.Container.FindAsync(cancellation).ConfigureAwait(false) is not { } existing)
        {
            return false;
        }

        if (start.Image is { } image)
        {
            string wanted = Choose(image).Config.Digest.ToString();
            string? labelled = existing.Config?.Labels is { } labels && labels.TryGetValue(EngineContainer.ImageLabel, out string? value) ? value : null;
            if (wanted != labelled && wanted != existing.Image && wanted != Digest.Prefix + existing.Image)
            {
                throw new FunctionBuildException("ContainerOfAnotherImage", FaultKind.AlreadyExists, $"The container '{name}' exists, but not of the image of function '{start.Name}' ({wanted}); what it renders would not be this function. Remove the container, or name another.", name);
            }
        }

        _options.Report?.Invoke($"{start.Name}: the container {name} is there, and is used again.");
        function.IsRevived = existing.State is not { Running: true };
        return true;
    }

    private async Task CreateAsync(FunctionStart start, DockerFunction function, CancellationToken cancellation)
    {
        if (start.Image is { } image)
        {
            PlatformImage chosen = Choose(image);
            string name = await _images.AcquireAsync(image, chosen, cancellation).ConfigureAwait(false);
            function.Image = chosen;
            for (int attempt = 1; !await CreateContainerAsync(name, chosen.Config.Digest.ToString()).ConfigureAwait(false); attempt++)
            {
                name = attempt < ImageAttempts
                    ? await _images.RestoreAsync(image, chosen, cancellation).ConfigureAwait(false)
                    : throw new FunctionBuildException("ImageNotFound", FaultKind.NotFound, $"The engine at '{_engine.Address}' has lost the image '{name}' of function '{start.Name}'. Something else removes its images; try again.", start.Name);
            }

            return;
        }

        string reference = start.Reference ?? throw new FunctionBuildException("NoImage", FaultKind.InvalidArgument, $"Function '{start.Name}' has neither an image in the pipeline nor a reference, and nothing to run. Pass its image in the pipeline, or name its package.", start.Name);
        if (start.PullPolicy == PullPolicy.Always)
        {
            await _pull.PullAsync(start.Name, reference, cancellation).ConfigureAwait(false);
        }

        if (await CreateContainerAsync(reference, null).ConfigureAwait(false))
        {
            return;
        }

        if (start.PullPolicy == PullPolicy.Never)
        {
            throw ImagePull.NotFound(start.Name, reference, "the engine does not have it, and the pull policy is Never");
        }

        await _pull.PullAsync(start.Name, reference, cancellation).ConfigureAwait(false);
        if (!await CreateContainerAsync(reference, null).ConfigureAwait(false))
        {
            throw ImagePull.NotFound(start.Name, reference, "the engine pulled it, and does not have it");
        }

        async Task<bool> CreateContainerAsync(string name, string? configDigest)
        {
            // Also what a cancelled creation leaves is ours; what the engine refused to create is somebody else's.
            function.IsOurs = true;
            try
            {
                return function.IsOurs = await function.Container.CreateAsync(name, configDigest, cancellation).ConfigureAwait(false);
            }
            catch (FunctionBuildException e) when (e.ErrorId is "DockerRefused" or "NetworkNotFound")
            {
                function.IsOurs = false;

                // Podman does not say that it lacks an image which goes while the container is made.
                if (e.ErrorId == "DockerRefused" && configDigest is not null && await _images.IsGoneAsync(name, cancellation).ConfigureAwait(false))
                {
                    return false;
                }

                throw;
            }
        }
    }

    private PlatformImage Choose(FunctionImage function) =>
        ImageChoice.Choose(function, _engine.Platform, $"the engine at '{_engine.Address}'", ", or name another engine in DOCKER_HOST");

    private async Task<(string Host, int Port)> WaitAsync(DockerFunction function, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        EngineContainer container = function.Container;
        Task<long> exit = container.WaitAsync(stop.Token);
        Task<string?>? listening = null;
        try
        {
            if (await container.FindPlaceAsync(cancellation).ConfigureAwait(false) is { } place)
            {
                listening = FunctionPort.WaitAsync(token => FunctionPort.ConnectAsync(place.Host, place.Port, token), _options, stop.Token);
                if (await Task.WhenAny(listening, exit).ConfigureAwait(false) == listening)
                {
                    return await listening.ConfigureAwait(false) is not { } failure
                        ? place
                        : throw new FunctionBuildException("FunctionNotListening", FaultKind.Connection, $"Function '{function.Name}' does not listen on port {FunctionPort.Number} of its container '{container.Name}', which was tried at {place.Host}:{place.Port} ({failure}). Give it more time, or see what it waits for. {await DescribeLogAsync(container).ConfigureAwait(false)}", function.Name);
                }
            }

            long code = await exit.ConfigureAwait(false);
            throw new FunctionBuildException("FunctionExited", FaultKind.InvalidOperation, $"Function '{function.Name}' ended with exit code {code} before it listened on port {FunctionPort.Number}. {await DescribeLogAsync(container).ConfigureAwait(false)}", function.Name);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ((Task?)listening ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<string> DescribeLogAsync(EngineContainer container) =>
        LogEnd.Describe(await container.TryReadLogAsync().ConfigureAwait(false));
}
