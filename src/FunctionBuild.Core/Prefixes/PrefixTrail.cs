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

    private const int MaximumJson = 4 * 1024 * 1024;

    private readonly List<PassedEntry> _entries = [];
    private readonly List<PrefixMark> _marks = [];

    // Of the import's thread only: points whose entry is not complete yet.
    private readonly List<GzipResumePoint> _points = [];
    private long _spacing = Spacing;
    private long _nextPoint;
    private int _inherited;
    private int _json;

    /// <summary>How many chunks of the file have been read.</summary>
    public int Chunks { get; set; }

    /// <summary>Whether more chunks may come.</summary>
    public bool IsReading { get; set; } = true;

    /// <summary>Whether more marks may come.</summary>
    public bool IsRunning { get; set; } = true;

    /// <summary>The marks, in the order of the file.</summary>
    public IReadOnlyList<PrefixMark> Marks => _marks;

    /// <summary>The entries, in the order of the file.</summary>
    public IReadOnlyList<PassedEntry> Entries => _entries;

    /// <summary>Whether no mark can come any more for so many bytes of the file.</summary>
    public bool HasPassed(long sourceBytes) => !IsRunning || (_marks.Count > 0 && _marks[^1].SourceEnd > sourceBytes);

    /// <summary>Begins with what is known from others.</summary>
    public void Inherit(IReadOnlyList<PassedEntry> entries, IReadOnlyList<PrefixMark> marks)
    {
        lock (known.Gate)
        {
            _entries.AddRange(entries);
            _marks.AddRange(marks);
            _inherited = marks.Count;
            _nextPoint = marks[^1].Point.OutputOffset + _spacing;
            Monitor.PulseAll(known.Gate);
        }
    }

    /// <summary>Takes a point that the decoder found, when the last one is far enough behind.</summary>
    public void AddPoint(GzipResumePoint point)
    {
        if (point.OutputOffset < _nextPoint || _json > MaximumJson || !known.TryAddPoint())
        {
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
        int number = _entries.Count;
        int points = _points.FindIndex(p => p.OutputOffset > end);
        points = points < 0 ? _points.Count : points;
        lock (known.Gate)
        {
            _entries.Add(entry);

            // A header cannot be entered in the middle.
            _marks.AddRange(_points.Take(points).Where(p => p.OutputOffset >= entry.DataStart).Select(p => new PrefixMark(p, number, p.OutputOffset - entry.DataStart)));
            Monitor.PulseAll(known.Gate);
        }

        _points.RemoveRange(0, points);
        _json += entry.Entry.Json?.Length ?? 0;
    }

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
