using System.Collections.Concurrent;
using System.Diagnostics;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Registry;

/// <summary>The push of one function, in stages. The first error ends it, and leaves the other functions alone.</summary>
internal sealed class FunctionPush
{
    private readonly RegistryClient _client;
    private readonly BlobTransfers _transfers;
    private readonly ImageReference _target;
    private readonly IReadOnlyList<Blob> _blobs;
    private readonly int _throttleLimit;
    private readonly int[] _fates = new int[Enum.GetValues<BlobFate>().Length];
    private readonly long _started = Stopwatch.GetTimestamp();
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
        _blobs = [.. Image.Images.SelectMany(i => i.Layers.Select(l => l.Blob).Append(i.Config)).DistinctBy(b => b.Digest).OrderByDescending(b => b.Length)];
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
            await stage(this, cancellation).ConfigureAwait(false);
        }
        catch (FunctionBuildException e)
        {
            Error = e;
        }
    }

    /// <summary>Asks the registry what it has.</summary>
    public async Task SurveyAsync(CancellationToken cancellation)
    {
        var missing = new ConcurrentBag<Digest>();
        await ForEachAsync(_blobs, async blob =>
        {
            if (await _transfers.HasAsync(_target.Repository, blob, cancellation).ConfigureAwait(false))
            {
                Count(BlobFate.Existing, blob);
            }
            else
            {
                missing.Add(blob.Digest);
            }
        }, cancellation).ConfigureAwait(false);
        HashSet<Digest> digests = [.. missing];
        _missing = [.. _blobs.Where(b => digests.Contains(b.Digest))];
    }

    /// <summary>Brings the missing blobs, then the manifests, then the index by its digest.</summary>
    public async Task BringAsync(CancellationToken cancellation)
    {
        await ForEachAsync(
            _missing,
            async blob => Count(await _transfers.BringAsync(_target.Repository, blob, Moved, cancellation).ConfigureAwait(false), blob),
            cancellation).ConfigureAwait(false);
        foreach (PlatformImage platform in Image.Images)
        {
            await PutAsync(platform.Digest.ToString(), platform.MediaType, platform.Manifest).ConfigureAwait(false);
        }

        await PutAsync(Image.Digest.ToString(), Image.MediaType, Image.Index).ConfigureAwait(false);

        Task PutAsync(string reference, string mediaType, Blob content) =>
            _client.PutManifestAsync(_target.Repository, reference, mediaType, ReadAll(content), cancellation);
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
        BlobsExisting = _fates[(int)BlobFate.Existing],
        BlobsMounted = _fates[(int)BlobFate.Mounted],
        BlobsPushed = _fates[(int)BlobFate.Pushed],
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
            Existing = _fates[(int)BlobFate.Existing],
            Tags = tags,
            Image = Image,
        };
    }

    private static byte[] ReadAll(Blob blob)
    {
        byte[] content = new byte[blob.Length];
        using Stream stream = blob.OpenRead();
        stream.ReadExactly(content);
        return content;
    }

    // After the first failure no further blob is begun; those that are under way go on, because others may share them.
    private Task ForEachAsync(IEnumerable<Blob> blobs, Func<Blob, Task> action, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            blobs,
            new ParallelOptions { MaxDegreeOfParallelism = _throttleLimit, CancellationToken = cancellation },
            async (blob, _) => await action(blob).ConfigureAwait(false));

    private void Count(BlobFate fate, Blob blob)
    {
        Interlocked.Increment(ref _fates[(int)fate]);
        if (fate != BlobFate.Pushed)
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
