using System.Collections.Concurrent;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// The blobs of one registry, over all functions of a push: each is asked for at most once in each repository, sent by
/// whoever comes first, and mounted from there by all others.
/// </summary>
/// <param name="client">The registry.</param>
/// <param name="throttle">Bounds the requests that run at a time.</param>
/// <param name="push">Ends with the push as a whole; what is asked for one function serves others too.</param>
internal sealed class BlobTransfers(RegistryClient client, SemaphoreSlim throttle, CancellationToken push)
{
    private readonly ConcurrentDictionary<(string Repository, Digest Digest), Lazy<Task<bool>>> _known = new();
    private readonly ConcurrentDictionary<(string Repository, Digest Digest), Lazy<Task<BlobFate>>> _transfers = new();
    private readonly ConcurrentDictionary<Digest, BlobHome> _homes = new();

    /// <summary>Whether a repository has a blob.</summary>
    public Task<bool> HasAsync(string repository, Blob blob, CancellationToken cancellation) =>
        _known.GetOrAdd((repository, blob.Digest), _ => new Lazy<Task<bool>>(() => AskAsync(repository, blob))).Value.WaitAsync(cancellation);

    /// <summary>Takes note of a blob that a repository has, as a manifest there tells.</summary>
    public void Trust(string repository, Blob blob)
    {
        BlobHome home = HomeOf(blob.Digest);
        home.Repository ??= repository;
    }

    /// <summary>Takes it back: the repository has to be asked.</summary>
    public void Distrust(string repository, Blob blob)
    {
        BlobHome home = HomeOf(blob.Digest);
        if (home.Repository == repository)
        {
            home.Repository = null;
        }
    }

    /// <summary>Whether a repository of this push has a blob.</summary>
    public bool IsAnywhere(Digest digest) => _homes.TryGetValue(digest, out BlobHome? home) && home.Repository is not null;

    /// <summary>Brings a blob into a repository that lacks it, or that was not asked.</summary>
    /// <returns>How it came there; <see cref="BlobFate.Existing"/> also when another function brought it.</returns>
    public async Task<BlobFate> BringAsync(string repository, Blob blob, Action<long, long> onMoved, CancellationToken cancellation)
    {
        while (true)
        {
            bool mine = false;
            var transfer = new Lazy<Task<BlobFate>>(() =>
            {
                mine = true;
                return TransferAsync(repository, blob, onMoved, cancellation);
            });
            Lazy<Task<BlobFate>> first = _transfers.GetOrAdd((repository, blob.Digest), transfer);
            try
            {
                BlobFate fate = await first.Value.WaitAsync(first == transfer ? CancellationToken.None : cancellation).ConfigureAwait(false);
                return mine ? fate : BlobFate.Existing;
            }
            catch (Exception e) when (!mine && !cancellation.IsCancellationRequested && e is OperationCanceledException or FunctionBuildException { ErrorId: "BlobChanged" })
            {
                // The other function's workspace is gone, or its file; this one has its own.
                _transfers.TryRemove(KeyValuePair.Create((repository, blob.Digest), first));
            }
        }
    }

    private async Task<bool> AskAsync(string repository, Blob blob)
    {
        bool has = await ThrottledAsync(() => client.HasBlobAsync(repository, blob, push), push).ConfigureAwait(false);
        if (has)
        {
            Trust(repository, blob);
        }

        return has;
    }

    private async Task<BlobFate> TransferAsync(string repository, Blob blob, Action<long, long> onMoved, CancellationToken cancellation)
    {
        BlobHome home = HomeOf(blob.Digest);
        if (home.Repository is null)
        {
            // One sends it; the others wait, and mount what was sent. If the sender fails, the next one tries.
            await home.Gate.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                if (home.Repository is null)
                {
                    if (await HasAsync(repository, blob, cancellation).ConfigureAwait(false))
                    {
                        return BlobFate.Existing;
                    }

                    await UploadAsync(null).ConfigureAwait(false);
                    home.Repository = repository;
                    return BlobFate.Pushed;
                }
            }
            finally
            {
                home.Gate.Release();
            }
        }

        return await UploadAsync(home.Repository).ConfigureAwait(false);

        Task<BlobFate> UploadAsync(string? from) => ThrottledAsync(
            () => client.UploadBlobAsync(repository, blob, from, _known.ContainsKey((repository, blob.Digest)), onMoved, cancellation),
            cancellation);
    }

    private BlobHome HomeOf(Digest digest) => _homes.GetOrAdd(digest, _ => new BlobHome());

    private async Task<T> ThrottledAsync<T>(Func<Task<T>> request, CancellationToken cancellation)
    {
        await throttle.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await request().ConfigureAwait(false);
        }
        finally
        {
            throttle.Release();
        }
    }

    /// <summary>The repository that has a blob, and the gate for those that lack it.</summary>
    private sealed class BlobHome
    {
        private volatile string? _repository;

        public SemaphoreSlim Gate { get; } = new(1, 1);

        public string? Repository
        {
            get => _repository;
            set => _repository = value;
        }
    }
}
