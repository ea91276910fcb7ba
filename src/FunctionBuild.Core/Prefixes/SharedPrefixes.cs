using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Prefixes;

/// <summary>
/// What is known of the beginnings of the gzipped tarballs that were imported into a workspace. The tarballs of a project
/// have most layers in common, in one order, and so begin with the same compressed bytes. Those are decompressed once.
/// Beginnings are told apart by SHA-256, chunk by chunk, while they are read. Safe for concurrent use.
/// </summary>
internal sealed class SharedPrefixes
{
    /// <summary>How many points all trails have together at most: 32 MiB.</summary>
    public const int MaximumPoints = 1024;

    /// <summary>How much of entries all trails keep together at most, in bytes: 64 MiB.</summary>
    public const long MaximumKept = 64 * 1024 * 1024;

    private readonly Dictionary<Digest, PrefixTrail> _chunks = [];
    private int _points;
    private long _kept;

    /// <summary>Guards this object and all trails; pulsed whenever one of them has got further.</summary>
    public object Gate { get; } = new();

    /// <summary>The trail of the tarball that begins with so many chunks of this digest; null when there is none. The caller holds the lock.</summary>
    public PrefixTrail? Find(Digest chunks) => _chunks.GetValueOrDefault(chunks);

    /// <summary>Makes a chunk known, unless the trail has no marks for it any more. The caller holds the lock.</summary>
    public void Add(Digest chunks, PrefixTrail trail)
    {
        if (trail.IsRunning)
        {
            _chunks[chunks] = trail;
        }

        trail.Chunks++;
        Monitor.PulseAll(Gate);
    }

    /// <summary>Whether there is room for one more point, of all trails together.</summary>
    public bool TryAddPoint()
    {
        if (Interlocked.Increment(ref _points) <= MaximumPoints)
        {
            return true;
        }

        Interlocked.Decrement(ref _points);
        return false;
    }

    /// <summary>Whether there is room for so many more bytes of entries, of all trails together.</summary>
    public bool TryKeep(long bytes)
    {
        if (Interlocked.Add(ref _kept, bytes) <= MaximumKept)
        {
            return true;
        }

        RemoveKept(bytes);
        return false;
    }

    /// <summary>Tells of entries that were let go.</summary>
    public void RemoveKept(long bytes) => Interlocked.Add(ref _kept, -bytes);

    /// <summary>Tells of points that were let go.</summary>
    public void RemovePoints(int count) => Interlocked.Add(ref _points, -count);
}
