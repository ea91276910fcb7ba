using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Prefixes;

/// <summary>
/// What the import of one tarball leaves for those after it: the entries that it passed, and the marks at which another that begins with
/// the same bytes can go on. Written by the import, read by those that follow, under the lock of <see cref="SharedPrefixes"/>.
/// </summary>
internal sealed class PrefixTrail(SharedPrefixes known)
{
    /// <summary>Marks are at least this far apart, in decompressed bytes; farther in large tarballs.</summary>
    public const long Spacing = 1024 * 1024;

    /// <summary>How many marks a trail adds at most to those of another that it follows. Each holds 32 KiB.</summary>
    public const int MaximumMarks = 256;

    /// <summary>How much a trail keeps of its own entries at most, in bytes.</summary>
    private const long MaximumKept = 8 * 1024 * 1024;

    private readonly List<PassedEntry> _entries = [];
    private readonly List<PrefixMark> _marks = [];

    // Of the import's thread only: points whose entry is not complete yet.
    private readonly List<GzipResumePoint> _points = [];
    private long _spacing = Spacing;
    private long _nextPoint;
    private int _inherited;
    private long _kept;

    /// <summary>Whether the last entry is another tarball's, equal up to the last mark, and this one's own is still being read.</summary>
    private bool _isLastBorrowed;

    /// <summary>How many chunks of the file have been read.</summary>
    public int Chunks { get; set; }

    /// <summary>Whether more chunks may come.</summary>
    public bool IsReading { get; set; } = true;

    /// <summary>Whether more marks may come.</summary>
    public bool IsRunning { get; private set; } = true;

    /// <summary>The marks, in the order of the file.</summary>
    public IReadOnlyList<PrefixMark> Marks => _marks;

    /// <summary>The entries, in the order of the file.</summary>
    public IReadOnlyList<PassedEntry> Entries => _entries;

    /// <summary>Whether no mark can come any more for so many bytes of the file.</summary>
    public bool HasPassed(long sourceBytes) => !IsRunning || (_marks.Count > 0 && _marks[^1].SourceEnd > sourceBytes);

    /// <summary>Begins with what is known from others.</summary>
    /// <param name="entries">The entries before the one that the last mark lies in.</param>
    /// <param name="current">That one, as another tarball has it. It stands there until this one's own is read, for those that come to the mark meanwhile.</param>
    /// <param name="marks">The marks.</param>
    public void Inherit(IReadOnlyList<PassedEntry> entries, PassedEntry current, IReadOnlyList<PrefixMark> marks)
    {
        lock (known.Gate)
        {
            _entries.AddRange(entries);
            _entries.Add(current);
            _isLastBorrowed = true;
            _marks.AddRange(marks);
            _inherited = marks.Count;
            _nextPoint = marks[^1].Point.OutputOffset + _spacing;
            Monitor.PulseAll(known.Gate);
        }
    }

    /// <summary>Whether a point may be taken when so many bytes were decompressed. The decoder keeps what it was asked for.</summary>
    public bool WantsPoint(long outputOffset) => IsRunning && outputOffset >= _nextPoint;

    /// <summary>Takes a point that the decoder found, when the last one is far enough behind.</summary>
    public void AddPoint(GzipResumePoint point)
    {
        if (!WantsPoint(point.OutputOffset))
        {
            return;
        }

        if (!known.TryAddPoint())
        {
            Stop();
            return;
        }

        _points.Add(point);
        _nextPoint = point.OutputOffset + _spacing;
        if (_marks.Count - _inherited + _points.Count > MaximumMarks)
        {
            Thin();
        }
    }

    /// <summary>Takes an entry whose data have been read, and makes marks of the points in them.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="end">Where the next header begins, in decompressed bytes.</param>
    public void AddEntry(PassedEntry entry, long end)
    {
        if (!IsRunning)
        {
            return;
        }

        if (_kept + SizeOf(entry) > MaximumKept || !known.TryKeep(SizeOf(entry)))
        {
            Stop();
            return;
        }

        _kept += SizeOf(entry);
        int points = _points.FindIndex(p => p.OutputOffset > end);
        points = points < 0 ? _points.Count : points;

        // A header cannot be entered in the middle.
        GzipResumePoint[] inside = [.. _points.Take(points).Where(p => p.OutputOffset >= entry.DataStart)];
        _points.RemoveRange(0, points);
        known.RemovePoints(points - inside.Length);
        lock (known.Gate)
        {
            if (_isLastBorrowed)
            {
                _entries.RemoveAt(_entries.Count - 1);
                _isLastBorrowed = false;
            }

            int number = _entries.Count;
            _entries.Add(entry);
            _marks.AddRange(inside.Select(p => new PrefixMark(p, number, p.OutputOffset - entry.DataStart)));
            Monitor.PulseAll(known.Gate);
        }
    }

    /// <summary>Makes no marks any more, and lets go what is behind the last one.</summary>
    public void Stop()
    {
        lock (known.Gate)
        {
            if (!IsRunning)
            {
                return;
            }

            IsRunning = false;
            known.RemovePoints(_points.Count);
            _points.Clear();
            int needed = _marks.Count > 0 ? _marks[^1].Entry + 1 : 0;
            known.RemoveKept(_entries.Skip(needed).Sum(SizeOf));
            _entries.RemoveRange(needed, _entries.Count - needed);
            Monitor.PulseAll(known.Gate);
        }
    }

    /// <summary>About how much memory an entry takes.</summary>
    private static long SizeOf(PassedEntry entry) =>
        256 + (2L * (entry.Name.Length + (entry.Entry.LinkTarget?.Length ?? 0))) + (entry.Entry.Json?.Length ?? 0) + (entry.Bytes?.Length ?? 0);

    private void Thin()
    {
        int before = _marks.Count + _points.Count;
        lock (known.Gate)
        {
            int mark = 0;
            _marks.RemoveAll(_ => mark++ >= _inherited && mark % 2 == 0);
        }

        int point = 0;
        _points.RemoveAll(_ => point++ % 2 == 0);
        _spacing *= 2;
        known.RemovePoints(before - _marks.Count - _points.Count);
    }
}
