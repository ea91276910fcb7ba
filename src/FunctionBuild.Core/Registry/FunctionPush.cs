using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Registry;

/// <summary>The push of one function, in stages. The first error ends it, and leaves the other functions alone.</summary>
internal sealed class FunctionPush : IDisposable
{
    private readonly RegistryClient _client;
    private readonly BlobTransfers _transfers;
    private readonly ImageReference _target;
    private readonly IReadOnlyList<Blob> _blobs;
    private readonly int _throttleLimit;
    private readonly ConcurrentDictionary<Digest, BlobFate> _fates = new();
    private readonly long _started = Stopwatch.GetTimestamp();
    private BuildWorkspace.WorkspaceUse? _use;
    private IReadOnlyList<Blob> _trusted = [];
    private IReadOnlyList<Blob> _missing = [];
    private long _sent;

    public FunctionPush(PushRequest request, ImageReference target, RegistryClient client, BlobTransfers transfers, int throttleLimit)
    {
        Request = request;
        _target = target;
        _client = client;
        _transfers = transfers;
        _throttleLimit = throttleLimit;

        // The largest first, so that all connections are busy to the end.
        _blobs = [.. Image.Images.SelectMany(BlobsOf).DistinctBy(b => b.Digest).OrderByDescending(b => b.Length)];
        Progress = new FunctionProgress(Image.Name, _blobs.Sum(b => b.Length));
    }

    public PushRequest Request { get; }

    public FunctionProgress Progress { get; }

    /// <summary>Why the push failed; null while it did not.</summary>
    public FunctionBuildException? Error { get; private set; }

    private FunctionImage Image => Request.Image;

    private IEnumerable<ImageReference> References => Request.Tags.Select(_target.WithTag);

    /// <summary>Runs a stage, unless an earlier one failed.</summary>
    public async Task RunAsync(Func<FunctionPush, CancellationToken, Task> stage, CancellationToken cancellation)
    {
        if (Error is not null)
        {
            return;
        }

        try
        {
            _use ??= Image.Workspace.Use(cancellation);
            await stage(this, _use.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FunctionBuildException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            Error = ExplainByWorkspace() ?? e as FunctionBuildException;
            if (Error is null)
            {
                throw;
            }

            // Whoever removes the workspace waits for this.
            Dispose();
        }
    }

    /// <summary>
    /// Finds out what the registry has. Where it has a manifest, it has the manifest's blobs: it takes none without them.
    /// Only for other blobs it is asked one by one; and in a repository that is new, not before one would be sent.
    /// </summary>
    /// <param name="askForAll">Whether to ask in new repositories too.</param>
    /// <param name="cancellation">Stops at once.</param>
    public async Task SurveyAsync(bool askForAll, CancellationToken cancellation)
    {
        _trusted = await FindTrustedAsync(cancellation).ConfigureAwait(false);
        foreach (Blob blob in _trusted)
        {
            _transfers.Trust(_target.Repository, blob);
            Count(BlobFate.Existing, blob);
        }

        List<Blob> others = [.. _blobs.Where(b => !_fates.ContainsKey(b.Digest))];
        _missing = others.Count > 0 && (askForAll || !await _client.IsNewAsync(_target.Repository, cancellation).ConfigureAwait(false))
            ? await FindMissingAsync(others, cancellation).ConfigureAwait(false)
            : others;
    }

    /// <summary>Brings the missing blobs, then the manifests, then the index by its digest.</summary>
    public async Task BringAsync(CancellationToken cancellation)
    {
        await BringAsync(_missing, cancellation).ConfigureAwait(false);
        try
        {
            await PutManifestsAsync(cancellation).ConfigureAwait(false);
        }
        catch (RegistryException e) when (_trusted.Count > 0 && e.Status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
        {
            // Blobs were deleted, or lost, and the manifest was not.
            _client.Options.Report?.Invoke($"{e.Message} It has the manifests of {Image.Name}, but perhaps not all that they name; it is asked for each blob.");
            foreach (Blob blob in _trusted)
            {
                _transfers.Distrust(_target.Repository, blob);
            }

            IReadOnlyList<Blob> lost = await FindMissingAsync(_trusted, cancellation).ConfigureAwait(false);
            await BringAsync(lost, cancellation).ConfigureAwait(false);
            await PutManifestsAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Puts the tags.</summary>
    public async Task TagAsync(CancellationToken cancellation)
    {
        foreach (ImageReference reference in References)
        {
            await _client.PutManifestAsync(reference.Repository, reference.Tag!, Image.MediaType, ReadAll(Image.Index), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What there is to tell of a push that did not fail.</summary>
    public PushResult ToResult() => new()
    {
        Name = Image.Name,
        Repository = _target.Name,
        References = [.. References.Select(r => r.ToString())],
        BlobsExisting = CountOf(BlobFate.Existing),
        BlobsMounted = CountOf(BlobFate.Mounted),
        BlobsPushed = CountOf(BlobFate.Pushed),
        BytesSent = Interlocked.Read(ref _sent),
        Duration = Stopwatch.GetElapsedTime(_started),
        Image = Image,
    };

    /// <summary>Takes on what is missing, and tells what a push would do.</summary>
    /// <param name="claimed">Blobs that functions before this one would have brought to their registries.</param>
    /// <param name="cancellation">Stops at once.</param>
    public async Task<PushPlan> ToPlanAsync(HashSet<(string Registry, Digest Digest)> claimed, CancellationToken cancellation)
    {
        var tags = new List<PlannedTag>();
        foreach (ImageReference reference in References)
        {
            ManifestState state = await _client.FindManifestAsync(reference.Repository, reference.Tag!, cancellation).ConfigureAwait(false);
            TagChange change = !state.Exists ? TagChange.New : state.Digest == Image.Digest ? TagChange.Stays : TagChange.Moves;
            tags.Add(new PlannedTag(reference.ToString(), change, state.Digest));
        }

        return new PushPlan
        {
            Name = Image.Name,
            Repository = _target.Name,
            Missing = [.. _missing.Select(b => b.Digest)],
            BytesMissing = _missing.Sum(b => b.Length),
            Mountable = _missing.Count(b => !claimed.Add((_target.Registry, b.Digest)) || _transfers.IsAnywhere(b.Digest)),
            Existing = CountOf(BlobFate.Existing),
            Tags = tags,
            Image = Image,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _use?.Dispose();
        _use = null;
    }

    private static byte[] ReadAll(Blob blob)
    {
        byte[] content = new byte[blob.Length];
        using Stream stream = blob.OpenRead();
        stream.ReadExactly(content);
        return content;
    }

    private FunctionBuildException? ExplainByWorkspace()
    {
        try
        {
            Image.Workspace.ThrowIfRemoved();
            return null;
        }
        catch (FunctionBuildException e)
        {
            return e;
        }
    }

    /// <summary>The blobs of manifests that the repository has.</summary>
    private async Task<IReadOnlyList<Blob>> FindTrustedAsync(CancellationToken cancellation)
    {
        if (await HasAsync(Image.Digest).ConfigureAwait(false))
        {
            return _blobs;
        }

        bool[] has = await Task.WhenAll(Image.Images.Select(i => HasAsync(i.Digest))).ConfigureAwait(false);
        return [.. Image.Images.Where((_, i) => has[i]).SelectMany(BlobsOf).DistinctBy(b => b.Digest)];

        async Task<bool> HasAsync(Digest digest)
        {
            ManifestState state = await _client.FindManifestAsync(_target.Repository, digest.ToString(), cancellation).ConfigureAwait(false);
            return state.Exists && (state.Digest is null || state.Digest == digest);
        }
    }

    /// <summary>Asks for blobs one by one; those that the repository lacks, in their order.</summary>
    private async Task<IReadOnlyList<Blob>> FindMissingAsync(IReadOnlyList<Blob> blobs, CancellationToken cancellation)
    {
        var missing = new ConcurrentDictionary<Digest, bool>();
        await ForEachAsync(blobs, async blob =>
        {
            if (await _transfers.HasAsync(_target.Repository, blob, cancellation).ConfigureAwait(false))
            {
                Count(BlobFate.Existing, blob);
            }
            else
            {
                missing[blob.Digest] = true;
            }
        }, cancellation).ConfigureAwait(false);
        return [.. blobs.Where(b => missing.ContainsKey(b.Digest))];
    }

    private Task BringAsync(IReadOnlyList<Blob> blobs, CancellationToken cancellation) => ForEachAsync(
        blobs,
        async blob =>
        {
            Expect(blob);
            Count(await _transfers.BringAsync(_target.Repository, blob, Moved, cancellation).ConfigureAwait(false), blob);
        },
        cancellation);

    private async Task PutManifestsAsync(CancellationToken cancellation)
    {
        foreach (PlatformImage platform in Image.Images)
        {
            await PutAsync(platform.Digest.ToString(), platform.MediaType, platform.Manifest).ConfigureAwait(false);
        }

        await PutAsync(Image.Digest.ToString(), Image.MediaType, Image.Index).ConfigureAwait(false);

        Task PutAsync(string reference, string mediaType, Blob content) =>
            _client.PutManifestAsync(_target.Repository, reference, mediaType, ReadAll(content), cancellation);
    }

    private static IEnumerable<Blob> BlobsOf(PlatformImage image) => image.Layers.Select(l => l.Blob).Append(image.Config);

    // After the first failure no further blob is begun; those that are under way go on, because others may share them.
    private Task ForEachAsync(IEnumerable<Blob> blobs, Func<Blob, Task> action, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            blobs,
            new ParallelOptions { MaxDegreeOfParallelism = _throttleLimit, CancellationToken = cancellation },
            async (blob, _) => await action(blob).ConfigureAwait(false));

    private int CountOf(BlobFate fate) => _fates.Values.Count(f => f == fate);

    // A blob that was taken to be there has to be sent after all.
    private void Expect(Blob blob)
    {
        if (_fates.TryRemove(blob.Digest, out _))
        {
            Progress.Need(blob.Length);
        }
    }

    private void Count(BlobFate fate, Blob blob)
    {
        bool isNew = _fates.TryAdd(blob.Digest, fate);
        if (isNew && fate != BlobFate.Pushed)
        {
            Progress.NeedNot(blob.Length);
        }
    }

    private void Moved(long progress, long travelled)
    {
        Progress.Move(progress);
        Interlocked.Add(ref _sent, travelled);
    }
}
