using System.Collections.Concurrent;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// The blobs of one registry, over all functions of a push: each is asked for once in each repository, sent by whoever
/// comes first, and mounted from there by all others.
/// </summary>
internal sealed class BlobTransfers(RegistryClient client, SemaphoreSlim throttle)
{
    private readonly ConcurrentDictionary<(string Repository, Digest Digest), Lazy<Task<bool>>> _known = new();
    private readonly ConcurrentDictionary<(string Repository, Digest Digest), Lazy<Task<BlobFate>>> _transfers = new();
    private readonly ConcurrentDictionary<Digest, BlobHome> _homes = new();

    /// <summary>Whether a repository has a blob.</summary>
    public Task<bool> HasAsync(string repository, Blob blob, CancellationToken cancellation) =>
        _known.GetOrAdd((repository, blob.Digest), _ => new Lazy<Task<bool>>(() => AskAsync(repository, blob, cancellation))).Value;

    /// <summary>Whether a repository of this push has a blob.</summary>
    public bool IsAnywhere(Digest digest) => _homes.TryGetValue(digest, out BlobHome? home) && home.Repository is not null;

    /// <summary>Brings a missing blob into a repository.</summary>
    /// <returns>How it came there; <see cref="BlobFate.Existing"/> when another function brought it.</returns>
    public async Task<BlobFate> BringAsync(string repository, Blob blob, Action<long, long> onMoved, CancellationToken cancellation)
    {
        bool mine = false;
        Lazy<Task<BlobFate>> transfer = _transfers.GetOrAdd((repository, blob.Digest), _ => new Lazy<Task<BlobFate>>(() =>
        {
            mine = true;
            return TransferAsync(repository, blob, onMoved, cancellation);
        }));
        BlobFate fate = await transfer.Value.ConfigureAwait(false);
        return mine ? fate : BlobFate.Existing;
    }

    private async Task<bool> AskAsync(string repository, Blob blob, CancellationToken cancellation)
    {
        bool has = await ThrottledAsync(() => client.HasBlobAsync(repository, blob, cancellation), cancellation).ConfigureAwait(false);
        if (has)
        {
            HomeOf(blob.Digest).Repository ??= repository;
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
                    await ThrottledAsync(() => client.UploadBlobAsync(repository, blob, null, onMoved, cancellation), cancellation).ConfigureAwait(false);
                    home.Repository = repository;
                    return BlobFate.Pushed;
                }
            }
            finally
            {
                home.Gate.Release();
            }
        }

        return await ThrottledAsync(() => client.UploadBlobAsync(repository, blob, home.Repository, onMoved, cancellation), cancellation).ConfigureAwait(false)
            ? BlobFate.Mounted
            : BlobFate.Pushed;
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
