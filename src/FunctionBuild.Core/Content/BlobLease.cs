using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Content;

/// <summary>
/// What one import brought into a store. Disposing of it removes everything that it was not told to keep and that no
/// other import uses.
/// </summary>
internal sealed class BlobLease(BlobStore store) : IDisposable
{
    private readonly HashSet<Digest> _held = [];

    /// <summary>Holds stored content that begins like this, when there is any.</summary>
    public StoredContent? TryPinTwin((long, int) key) => store.PinTwin(key, _held);

    /// <summary>Holds stored content; false when it is not there any more.</summary>
    public bool TryHold(Digest digest) => store.TryPin(digest, _held);

    /// <summary>Holds content that was read, publishing what was written.</summary>
    public StoredContent Add(StoredContent content, (long, int)? key, BlobWriter? writer) => store.Pin(content, key, writer, _held);

    /// <summary>Stores small content from memory and holds it.</summary>
    public StoredContent Put(ReadOnlySpan<byte> content)
    {
        using BlobWriter writer = store.NewWriter();
        writer.Write(content);
        return Add(store.Describe(writer), null, writer);
    }

    /// <summary>Keeps content for the life of the workspace.</summary>
    public void Keep(IEnumerable<Digest> digests) => _held.ExceptWith(digests);

    /// <inheritdoc/>
    public void Dispose()
    {
        store.Unpin(_held);
        _held.Clear();
    }
}
