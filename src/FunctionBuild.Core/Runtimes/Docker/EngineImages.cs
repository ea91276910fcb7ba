using System.Collections.Concurrent;
using Docker.DotNet;
using Docker.DotNet.Models;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>
/// The images of functions in an engine: each that the engine lacks is loaded once, however many functions use it, by a
/// tag of our own that names its config digest; so other sessions find it. The last of them removes it: an engine keeps
/// an image that a container uses. An image that was there by another name is used as it is, and stays.
/// </summary>
/// <remarks>
/// An engine with containerd's image store knows images by the digest of a manifest, which it makes itself when it loads a
/// Docker archive, and not by their config. There, an image that was pulled or built is not recognised, and is loaded.
/// Podman fails to answer about an image while another session loads or removes it; it is asked again then.
/// </remarks>
internal sealed class EngineImages(DockerEngine engine, RuntimeOptions options)
{
    private const string Repository = "localhost/functionbuild";

    // How often another session may remove an image that we have just loaded.
    private const int LoadAttempts = 5;

    // How often it may fail to load one: what another session removes meanwhile may be what it has just found.
    private const int RefusedAttempts = 2;

    // How often the engine is asked what it fails to answer: for three seconds.
    private const int AskAttempts = 15;

    private static readonly TimeSpan RemovalTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<Digest, Loaded> _images = [];

    /// <summary>Makes sure that the engine has an image.</summary>
    /// <returns>The name by which a container is made of it; to be given back to <see cref="ReleaseAsync"/>.</returns>
    /// <exception cref="FunctionBuildException">ErrorId <c>ImageLoadFailed</c>, <c>DockerUnavailable</c>, <c>BlobChanged</c> or <c>WorkspaceRemoved</c>.</exception>
    public async Task<string> AcquireAsync(FunctionImage function, PlatformImage image, CancellationToken cancellation)
    {
        Loaded entry = _images.GetOrAdd(image.Config.Digest, _ => new Loaded());
        await entry.Gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (entry.Uses == 0)
            {
                await BringAsync(entry, function, image, cancellation).ConfigureAwait(false);
            }

            entry.Uses++;
            return entry.Name;
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>Makes sure again that the engine has an image that was acquired: another session may have removed it.</summary>
    /// <returns>The name by which a container is made of it.</returns>
    /// <exception cref="FunctionBuildException">As of <see cref="AcquireAsync"/>.</exception>
    public async Task<string> RestoreAsync(FunctionImage function, PlatformImage image, CancellationToken cancellation)
    {
        Loaded entry = _images[image.Config.Digest];
        await entry.Gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await BringAsync(entry, function, image, cancellation).ConfigureAwait(false);
            return entry.Name;
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>Gives an image back. Never throws.</summary>
    /// <param name="image">The image.</param>
    /// <param name="keep">Whether a container that stays needs it.</param>
    public async Task ReleaseAsync(PlatformImage image, bool keep)
    {
        Loaded entry = _images[image.Config.Digest];
        await entry.Gate.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            entry.IsKept |= keep;
            if (--entry.Uses == 0 && entry.IsOurs && !entry.IsKept)
            {
                using var limit = new CancellationTokenSource(RemovalTime);
                await RemoveAsync(entry.Name, limit.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>An image of the engine, by id or reference; null when it has none.</summary>
    public Task<ImageInspectResponse?> FindAsync(string name, CancellationToken cancellation) =>
        AskAgainAsync<ImageInspectResponse?>(
            $"look up the image '{name}'",
            async client =>
            {
                try
                {
                    return await client.Images.InspectImageAsync(name, cancellation).ConfigureAwait(false);
                }
                catch (DockerImageNotFoundException)
                {
                    return null;
                }
            },
            cancellation);

    /// <summary>Whether the engine says that it lacks an image.</summary>
    public async Task<bool> IsGoneAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return await FindAsync(name, cancellation).ConfigureAwait(false) is null;
        }
        catch (FunctionBuildException)
        {
            return false;
        }
    }

    private async Task BringAsync(Loaded entry, FunctionImage function, PlatformImage image, CancellationToken cancellation)
    {
        string tag = $"{Repository}:{image.Config.Digest.Hex}";
        for (int attempt = 1; !await IsThereAsync(entry, function, image, tag, cancellation).ConfigureAwait(false); attempt++)
        {
            options.Report?.Invoke($"{function.Name}: loading its image for {image.Platform} into the engine at {engine.Address}, as {tag}.");
            if (await LoadAsync(function, image, tag, isLast: attempt >= RefusedAttempts, cancellation).ConfigureAwait(false))
            {
                (entry.Name, entry.IsOurs) = (tag, true);
                return;
            }

            if (attempt == LoadAttempts)
            {
                throw Failed(function, image, "it says that it did, but it has no image of that name. Unless something else removes its images, see what its log says");
            }

            options.Report?.Invoke($"{function.Name}: the engine does not have the image {tag}; another session may have removed it.");
        }
    }

    private async Task<bool> IsThereAsync(Loaded entry, FunctionImage function, PlatformImage image, string tag, CancellationToken cancellation)
    {
        string id = image.Config.Digest.ToString();
        if (await FindAsync(tag, cancellation).ConfigureAwait(false) is { } tagged && IsOf(image, tagged))
        {
            (entry.Name, entry.IsOurs) = (tag, true);
        }
        else if (await FindAsync(id, cancellation).ConfigureAwait(false) is not null)
        {
            (entry.Name, entry.IsOurs) = (id, false);
        }
        else
        {
            return false;
        }

        options.Report?.Invoke($"{function.Name}: the engine has the image {entry.Name} already.");
        return true;
    }

    // Anybody can give a tag to another image.
    private static bool IsOf(PlatformImage image, ImageInspectResponse found) =>
        found.RootFS?.Layers is { } layers && layers.SequenceEqual(image.Layers.Select(l => l.DiffId.ToString()), StringComparer.Ordinal);

    /// <summary>Loads an image; false when the engine took it in, and does not have it.</summary>
    /// <param name="function">The function.</param>
    /// <param name="image">Its image.</param>
    /// <param name="tag">The tag that it gets.</param>
    /// <param name="isLast">Whether it is an error that the engine fails with the whole image in its hands.</param>
    /// <param name="cancellation">Ends the load.</param>
    private async Task<bool> LoadAsync(FunctionImage function, PlatformImage image, string tag, bool isLast, CancellationToken cancellation)
    {
        using BuildWorkspace.WorkspaceUse use = function.Workspace.Use(cancellation);
        var archive = new ArchiveStream(tag, image, options.OnLoaded, use.Token);
        bool isSettled = false;
        try
        {
            var messages = new EngineMessages();
            await engine.AskAsync(
                $"load the image of function '{function.Name}'",
                async client =>
                {
                    await client.Images.LoadImageAsync(new ImageLoadParameters { Quiet = true }, archive.Content, messages, use.Token).ConfigureAwait(false);
                    return true;
                },
                use.Token).ConfigureAwait(false);
            if (messages.Error is { } error)
            {
                throw Failed(function, image, error);
            }

            bool isThere = await FindAsync(tag, use.Token).ConfigureAwait(false) is not null;
            isSettled = true;
            return isThere;
        }
        catch (FunctionBuildException e) when (e.ErrorId == "DockerRefused")
        {
            if (!isLast && archive.IsComplete && IsEngineFault(e))
            {
                options.Report?.Invoke($"The engine at {engine.Address} fails to load {tag}: {DockerEngine.Reason(e.InnerException!)}");
                isSettled = true;
                return false;
            }

            throw Failed(function, image, DockerEngine.Reason(e.InnerException!), e.InnerException);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            function.Workspace.ThrowIfRemoved();
            throw;
        }
        finally
        {
            FunctionBuildException? unreadable = archive.Failure;
            bool complete = archive.IsComplete;
            await archive.DisposeAsync().ConfigureAwait(false);
            if (!isSettled)
            {
                await RemoveUnfinishedAsync(tag, complete).ConfigureAwait(false);
                cancellation.ThrowIfCancellationRequested();
                if (unreadable is not null)
                {
                    // The broken upload is only what came of it.
                    System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(unreadable);
                }
            }
        }
    }

    private FunctionBuildException Failed(FunctionImage function, PlatformImage image, string reason, Exception? cause = null) => new(
        "ImageLoadFailed",
        FaultKind.Write,
        $"The engine at '{engine.Address}' cannot load the image of function '{function.Name}' for {image.Platform}: {reason}",
        function,
        cause);

    /// <summary>An engine that has the whole archive may finish the load after its caller went away.</summary>
    private async Task RemoveUnfinishedAsync(string tag, bool mayAppear)
    {
        using var limit = new CancellationTokenSource(RemovalTime);
        int attempts = mayAppear ? 10 : 1;
        while (!await RemoveAsync(tag, limit.Token).ConfigureAwait(false) && --attempts > 0 && !limit.IsCancellationRequested)
        {
            await Task.Delay(Pause, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<bool> RemoveAsync(string tag, CancellationToken limit)
    {
        try
        {
            await AskAgainAsync(
                $"remove the image '{tag}'",
                client => client.Images.DeleteImageAsync(tag, new ImageDeleteParameters(), limit),
                limit).ConfigureAwait(false);
            return true;
        }
        catch (FunctionBuildException e) when (e.InnerException is DockerApiException { StatusCode: System.Net.HttpStatusCode.Conflict })
        {
            // Another session's container uses it, and that session removes it.
            return true;
        }
        catch (Exception e) when (e is FunctionBuildException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Asks the engine for something that it can be asked again, and does so while it answers that it has failed.</summary>
    private async Task<T> AskAgainAsync<T>(string step, Func<DockerClient, Task<T>> call, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await engine.AskAsync(step, call, cancellation).ConfigureAwait(false);
            }
            catch (FunctionBuildException e) when (attempt < AskAttempts && IsEngineFault(e))
            {
                options.Report?.Invoke($"The engine at {engine.Address} fails to {step}, and is asked again: {DockerEngine.Reason(e.InnerException!)}");
                await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            }
        }
    }

    private static bool IsEngineFault(FunctionBuildException e) => e.InnerException is DockerApiException { StatusCode: System.Net.HttpStatusCode.InternalServerError };

    private sealed class Loaded
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Uses { get; set; }

        public string Name { get; set; } = string.Empty;

        public bool IsOurs { get; set; }

        public bool IsKept { get; set; }
    }
}
