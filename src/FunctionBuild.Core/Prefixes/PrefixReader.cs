using System.Buffers;
using System.Security.Cryptography;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Prefixes;

/// <summary>
/// The compressed bytes of one tarball. First <see cref="Follow"/> reads as far as they are known from other tarballs; then the
/// stream gives them from where decompression goes on. The bytes between are kept meanwhile, so that each is read once.
/// </summary>
/// <remarks>
/// The first gzip header comes without the name, time and other fields that gzip tools write there, in which files differ that
/// are otherwise alike; offsets are those in the file without them.
/// </remarks>
internal sealed class PrefixReader : ReadOnlyStream
{
    private const int ChunkSize = 128 * 1024;

    /// <summary>How much is kept at most while following: 8 MiB.</summary>
    private const int MaximumChunks = 64;

    private readonly Stream _input;
    private readonly SharedPrefixes _known;
    private readonly BlobLease _lease;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _onCancel;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Queue<(byte[] Buffer, int Length)> _chunks = [];
    private int _start;
    private bool _begun;

    // Of the following: the trail, how much of the file was found in it, the last mark up to there, and what is before that.
    private readonly List<PassedEntry> _passed = [];
    private readonly List<PrefixMark> _marks = [];
    private PassedEntry? _current;
    private PrefixTrail? _leader;
    private long _matched;
    private long _dropped;
    private bool _lost;

    public PrefixReader(Stream input, SharedPrefixes known, BlobLease lease, CancellationToken cancellation)
    {
        (_input, _known, _lease, _cancellation) = (input, known, lease, cancellation);
        Trail = new PrefixTrail(known);
        _onCancel = cancellation.Register(Wake);
    }

    /// <summary>Told once, when this tarball begins to wait for another; under the lock, so that it must not wait itself. May be null.</summary>
    public Action? OnWait { get; set; }

    /// <summary>What this tarball leaves for others.</summary>
    public PrefixTrail Trail { get; }

    /// <summary>How many bytes the fields of the first header had that were left out.</summary>
    public int HeaderFields { get; private set; }

    /// <summary>
    /// Reads the file as far as others begin with the same bytes, waiting for one that is being imported. Call it first. What
    /// is before the place that it returns is held by the lease; without one the stream begins with the file.
    /// </summary>
    public PrefixResume? Follow()
    {
        while (ReadChunk() is { } digest && IsKnown(digest) && HasRoom())
        {
        }

        lock (_known.Gate)
        {
            // What is passed is held at once; the other import may fail meanwhile.
            for (Advance(); !_lost && _leader?.HasPassed(_matched) == false; Advance())
            {
                Wait();
            }
        }

        if (_marks.Count == 0)
        {
            return null;
        }

        _start = (int)(_marks[^1].Point.SourceOffset - _dropped);
        Trail.Inherit(_passed, _current!, _marks);
        return new PrefixResume(_marks[^1], _passed, _current!);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_chunks.Count == 0)
        {
            if (ReadChunk() is not { } digest)
            {
                return 0;
            }

            lock (_known.Gate)
            {
                _known.Add(digest, Trail);
            }
        }

        (byte[] chunk, int length) = _chunks.Peek();
        int count = Math.Min(buffer.Length, length - _start);
        chunk.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        if (_start == length)
        {
            DropChunk();
            _start = 0;
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_known.Gate)
            {
                Trail.IsReading = false;
                Trail.Stop();
                Monitor.PulseAll(_known.Gate);
            }

            _onCancel.Dispose();
            _hash.Dispose();
            while (_chunks.Count > 0)
            {
                DropChunk();
            }
        }

        base.Dispose(disposing);
    }

    /// <summary>Reads the next chunk; the digest of the file up to its end, or null when there is none.</summary>
    private Digest? ReadChunk()
    {
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
        int length = Fill(chunk.AsSpan(0, ChunkSize));
        if (!_begun)
        {
            _begun = true;
            HeaderFields = GzipHeader.Simplify(chunk.AsSpan(0, length));
            length -= HeaderFields;
            length += Fill(chunk.AsSpan(length, HeaderFields));
        }

        if (length == 0)
        {
            ArrayPool<byte>.Shared.Return(chunk);
            lock (_known.Gate)
            {
                Trail.IsReading = false;
                Monitor.PulseAll(_known.Gate);
            }

            return null;
        }

        _chunks.Enqueue((chunk, length));
        _hash.AppendData(chunk.AsSpan(0, length));
        return Digest.FromHash(_hash.GetCurrentHash());
    }

    private int Fill(Span<byte> chunk) => _input.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);

    /// <summary>Whether another tarball has the same bytes up to the end of the last chunk, and can be followed. If not, they are this one's from now on.</summary>
    private bool IsKnown(Digest digest)
    {
        lock (_known.Gate)
        {
            PrefixTrail? found = _known.Find(digest);
            while (found is null && _leader is { IsReading: true, IsRunning: true } && _leader.Chunks == Trail.Chunks)
            {
                Wait();
                found = _known.Find(digest);
            }

            if (found is not null)
            {
                _leader = found;
                _matched = _dropped + _chunks.Sum(c => (long)c.Length);
                Advance();
            }

            if (found is null || _lost)
            {
                _known.Add(digest, Trail);
                return false;
            }

            Trail.Chunks++;
            return true;
        }
    }

    /// <summary>Waits until another chunk may be kept; false when no mark will be near enough for that.</summary>
    private bool HasRoom()
    {
        lock (_known.Gate)
        {
            while (_chunks.Count == MaximumChunks && !_lost && !_leader!.HasPassed(_matched))
            {
                Wait();
                Advance();
            }

            return _chunks.Count < MaximumChunks && !_lost;
        }
    }

    /// <summary>Goes to the last mark that the bytes read so far allow, holds what is before it, and lets go what is not needed any more.</summary>
    private void Advance()
    {
        while (!_lost && NextMark() is { } mark)
        {
            _lost = !Hold(mark);
        }

        while (_marks.Count > 0 && _chunks.Count > 0 && _dropped + _chunks.Peek().Length <= _marks[^1].Point.SourceOffset)
        {
            DropChunk();
        }
    }

    private PrefixMark? NextMark()
    {
        long last = _marks.Count > 0 ? _marks[^1].SourceEnd : 0;
        return _leader?.Marks.FirstOrDefault(m => m.SourceEnd > last) is { } next && next.SourceEnd <= _matched ? next : null;
    }

    /// <summary>Goes to a mark and holds the content of the entries before it; false when some is gone, because no image used it.</summary>
    private bool Hold(PrefixMark mark)
    {
        int passed = _passed.Count;
        for (int number = passed; number <= mark.Entry; number++)
        {
            PassedEntry entry = _leader!.Entries[number];
            if (entry.Bytes is null && entry.Entry.Stored is { } stored && !_lease.TryHold(stored.Blob.Digest))
            {
                // The last mark counts, with what is before it.
                _passed.RemoveRange(passed, _passed.Count - passed);
                return false;
            }

            if (number < mark.Entry)
            {
                _passed.Add(entry);
            }
        }

        // It may go on otherwise here.
        _current = _leader!.Entries[mark.Entry];
        _marks.Add(mark);
        return true;
    }

    private void DropChunk()
    {
        (byte[] buffer, int length) = _chunks.Dequeue();
        ArrayPool<byte>.Shared.Return(buffer);
        _dropped += length;
    }

    private void Wait()
    {
        _cancellation.ThrowIfCancellationRequested();
        OnWait?.Invoke();
        OnWait = null;
        Monitor.Wait(_known.Gate);
        _cancellation.ThrowIfCancellationRequested();
    }

    private void Wake()
    {
        lock (_known.Gate)
        {
            Monitor.PulseAll(_known.Gate);
        }
    }
}
