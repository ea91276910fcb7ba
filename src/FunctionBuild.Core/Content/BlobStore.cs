using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using FunctionBuild.Core.Oci;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Content-addressed blobs of one workspace: <c>blobs/sha256/&lt;hex&gt;</c>, each written once under a temporary name
/// and renamed when its digest is known. Safe for concurrent use.
/// </summary>
internal sealed class BlobStore
{
    /// <summary>The store stops writing when less than this is free on its disk, in bytes.</summary>
    public const long DiskReserve = 512L * 1024 * 1024;

    private const int BlockSize = 128 * 1024;
    private const long SpaceCheckInterval = 32L * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, Entry> _entries = [];
    private readonly Dictionary<(long Length, int Head), Digest> _byHead = [];
    private readonly string _root;
    private readonly string _blobs;
    private readonly string _incoming;
    private readonly Func<long> _freeSpace;
    private long _sinceSpaceCheck = SpaceCheckInterval;
    private long _nextTemporary;

    /// <summary>Opens an empty store under a folder.</summary>
    /// <param name="root">The workspace's folder.</param>
    /// <param name="freeSpace">Tells the free bytes of the folder's disk; the system's answer when not given.</param>
    public BlobStore(string root, Func<long>? freeSpace = null)
    {
        _root = root;
        _blobs = Path.Combine(root, "blobs", "sha256");
        _incoming = Path.Combine(root, "incoming");
        _freeSpace = freeSpace ?? (() => FreeSpaceOf(root));
        Directory.CreateDirectory(_blobs);
        Directory.CreateDirectory(_incoming);
    }

    /// <summary>Where a blob's file is, or would be.</summary>
    public string PathOf(Digest digest) => Path.Combine(_blobs, digest.Hex);

    /// <summary>The blob with that digest; null when the store has none.</summary>
    public Blob? Find(Digest digest)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(digest, out Entry? entry) ? entry.Content.Blob : null;
        }
    }

    /// <summary>A writer for new content.</summary>
    public BlobWriter NewWriter() =>
        new(this, Path.Combine(_incoming, Interlocked.Increment(ref _nextTemporary).ToString(CultureInfo.InvariantCulture)));

    /// <summary>Stores small content from memory and keeps it for the life of the workspace.</summary>
    public Blob Put(ReadOnlySpan<byte> content)
    {
        using BlobWriter writer = NewWriter();
        writer.Write(content);
        return Keep(writer);
    }

    /// <summary>Publishes what was written, unless the store has it, and keeps it for the life of the workspace.</summary>
    public Blob Keep(BlobWriter writer) => Pin(Describe(writer), null, writer, []).Blob;

    /// <summary>What was written, taken for uncompressed content.</summary>
    public StoredContent Describe(BlobWriter writer)
    {
        Digest digest = writer.Complete();
        return new StoredContent(new Blob(digest, writer.Length, PathOf(digest)), Compression.None, digest, writer.Length);
    }

    /// <summary>Begins an import: what it brings stays only if the lease is told to keep it.</summary>
    public BlobLease NewLease() => new(this);

    /// <summary>
    /// Reads content to its end and stores it, unless the store has it. Content that begins like a blob of the same
    /// length is compared with that blob while it is read, which is cheaper than hashing and writing it, and as sure:
    /// the blob's digest was verified. Where the two part, the common part is taken from the blob and
    /// reading goes on.
    /// </summary>
    /// <param name="lease">The import that the content belongs to.</param>
    /// <param name="content">The content; exactly <paramref name="length"/> bytes.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="budget">Accounts for what compressed content expands to.</param>
    /// <exception cref="EndOfStreamException">The content is shorter than its length.</exception>
    public StoredContent Ingest(BlobLease lease, Stream content, long length, ExpansionBudget budget)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockSize);
        byte[] other = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            int filled = Fill(content, block);
            (long, int) key = (length, HashHead(block.AsSpan(0, filled)));
            long common = 0;
            StoredContent? twin = lease.TryPinTwin(key);
            using SafeFileHandle? twinFile = twin is null ? null : File.OpenHandle(twin.Blob.FilePath);
            if (twinFile is not null)
            {
                while (filled > 0 && Matches(twinFile, common, block.AsSpan(0, filled), other))
                {
                    common += filled;
                    filled = Fill(content, block);
                }

                if (filled == 0 && common == length)
                {
                    budget.Skip(twin!);
                    return twin!;
                }
            }

            using var source = new ReplayStream(twinFile, common, block.AsMemory(0, filled), content);
            using BlobWriter writer = NewWriter();
            return lease.Add(Read(source, length, budget, writer, null), key, writer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
            ArrayPool<byte>.Shared.Return(other);
        }
    }

    /// <summary>Reads content that stays where it is, a slice of a plain tarball, unless the store has a blob of it.</summary>
    /// <exception cref="EndOfStreamException">The content is shorter than its length.</exception>
    public StoredContent IngestSlice(BlobLease lease, Stream content, long length, string path, long offset, ExpansionBudget budget) =>
        lease.Add(Read(content, length, budget, null, (path, offset)), null, null);

    /// <summary>Makes sure that there is room for more bytes, asking the system now and then.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>DiskSpaceLow</c>.</exception>
    public void ReserveSpace(int bytes)
    {
        if (Interlocked.Add(ref _sinceSpaceCheck, bytes) < SpaceCheckInterval)
        {
            return;
        }

        Interlocked.Exchange(ref _sinceSpaceCheck, 0);
        long free = _freeSpace();
        if (free < DiskReserve)
        {
            Interlocked.Exchange(ref _sinceSpaceCheck, SpaceCheckInterval);
            throw new FunctionBuildException(
                "DiskSpaceLow",
                FaultKind.LimitExceeded,
                $"The disk of the workspace '{_root}' has {free:N0} bytes free; writing stops below {DiskReserve:N0}. Free some space, or set FUNCTIONBUILD_WORKSPACE_ROOT to a folder on a larger disk.",
                _root);
        }
    }

    /// <summary>Pins stored content that begins like this and has this length, when there is any.</summary>
    internal StoredContent? PinTwin((long, int) key, HashSet<Digest> held)
    {
        lock (_gate)
        {
            return _byHead.TryGetValue(key, out Digest digest) ? Pin(_entries[digest], held) : null;
        }
    }

    /// <summary>Pins stored content by its digest; false when there is none.</summary>
    internal bool TryPin(Digest digest, HashSet<Digest> held)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(digest, out Entry? entry))
            {
                return false;
            }

            Pin(entry, held);
            return true;
        }
    }

    /// <summary>
    /// Pins stored content, publishing what was written unless the store has it already. A slice that the store has no
    /// blob for stays where it is, and there is nothing to pin.
    /// </summary>
    internal StoredContent Pin(StoredContent content, (long, int)? key, BlobWriter? writer, HashSet<Digest> held)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(content.Blob.Digest, out Entry? entry))
            {
                if (writer is null)
                {
                    return content;
                }

                writer.Publish();
                entry = new Entry(content);
                _entries.Add(content.Blob.Digest, entry);
            }
            else if (entry.Content.Compression == Compression.None && content.Compression != Compression.None)
            {
                // Compressed by us; what it decompresses to is known only now that it was read.
                entry.Content = content with { Blob = entry.Content.Blob };
            }

            if (key is { } known)
            {
                _byHead[known] = content.Blob.Digest;
                entry.Head = known;
            }

            return Pin(entry, held);
        }
    }

    /// <summary>Lets content go; what nobody holds any more is removed.</summary>
    internal void Unpin(IEnumerable<Digest> digests)
    {
        lock (_gate)
        {
            foreach (Digest digest in digests)
            {
                Entry entry = _entries[digest];
                if (--entry.Pins > 0)
                {
                    continue;
                }

                _entries.Remove(digest);
                if (entry.Head is { } key && _byHead.TryGetValue(key, out Digest named) && named == digest)
                {
                    _byHead.Remove(key);
                }

                File.Delete(entry.Content.Blob.FilePath);
            }
        }
    }

    // Of a Windows network share the system does not tell it this way; there the write that finds no room is the error.
    private static long FreeSpaceOf(string root) =>
        OperatingSystem.IsWindows() && root.StartsWith(@"\\", StringComparison.Ordinal) ? long.MaxValue : new DriveInfo(root).AvailableFreeSpace;

    private static int HashHead(ReadOnlySpan<byte> head)
    {
        var hash = default(HashCode);
        hash.AddBytes(head);
        return hash.ToHashCode();
    }

    private static int Fill(Stream content, byte[] block) =>
        content.ReadAtLeast(block.AsSpan(0, BlockSize), BlockSize, throwOnEndOfStream: false);

    private static bool Matches(SafeFileHandle file, long offset, ReadOnlySpan<byte> expected, byte[] buffer)
    {
        int length = 0;
        while (length < expected.Length)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(length, expected.Length - length), offset + length);
            if (read == 0)
            {
                return false;
            }

            length += read;
        }

        return expected.SequenceEqual(buffer.AsSpan(0, length));
    }

    private static (Digest DiffId, long Length) Decode(Compression compression, Stream source, ExpansionBudget budget, byte[] block)
    {
        using Stream decoded = budget.Count(Codecs.OpenDecoder(compression, source));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        int read;
        while ((read = decoded.Read(block.AsSpan(0, BlockSize))) > 0)
        {
            hash.AppendData(block.AsSpan(0, read));
            length += read;
        }

        return (Digest.FromHash(hash.GetHashAndReset()), length);
    }

    /// <summary>The one reading of new content: hashes it, writes it when there is a writer, and decompresses it when it is compressed.</summary>
    private StoredContent Read(Stream content, long length, ExpansionBudget budget, BlobWriter? writer, (string Path, long Offset)? place)
    {
        using var tee = new TeeStream(content, writer);
        Compression compression = Codecs.Sniff(tee.Peek());
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            Digest? diffId = null;
            long uncompressed = 0;
            DecodeException? failure = null;
            if (compression != Compression.None)
            {
                try
                {
                    (diffId, uncompressed) = Decode(compression, tee, budget, block);
                }
                catch (DecodeException e) when (!tee.SourceFailed)
                {
                    // Only an error if an image uses it as a layer; the rest of the archive must be read anyway.
                    failure = e;
                }
            }

            while (tee.Read(block.AsSpan(0, BlockSize)) > 0)
            {
            }

            if (tee.Passed != length)
            {
                throw new EndOfStreamException();
            }

            Digest digest = tee.Complete();
            Blob blob = place is { } slice
                ? new Blob(digest, length, slice.Path, slice.Offset) { IsSlice = true }
                : new Blob(digest, length, PathOf(digest));
            return compression == Compression.None
                ? new StoredContent(blob, compression, digest, length)
                : new StoredContent(blob, compression, diffId, uncompressed, failure);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private static StoredContent Pin(Entry entry, HashSet<Digest> held)
    {
        if (held.Add(entry.Content.Blob.Digest))
        {
            entry.Pins++;
        }

        return entry.Content;
    }

    private sealed class Entry(StoredContent content)
    {
        public StoredContent Content { get; set; } = content;

        public int Pins { get; set; }

        public (long, int)? Head { get; set; }
    }
}
