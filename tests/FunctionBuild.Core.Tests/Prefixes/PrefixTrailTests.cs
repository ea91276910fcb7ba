using System.IO.Hashing;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Prefixes;

namespace FunctionBuild.Core.Tests.Prefixes;

public sealed class PrefixTrailTests
{
    private const long Spacing = PrefixTrail.Spacing;

    private readonly SharedPrefixes _known = new();

    [Fact]
    public void Marks_come_with_the_entry_that_they_lie_in()
    {
        var trail = new PrefixTrail(_known);
        trail.AddPoint(Point(3 * Spacing));
        trail.AddPoint(Point(5 * Spacing));
        Assert.Empty(trail.Marks);

        trail.AddEntry(Entry(start: 512, length: 4 * Spacing), end: 512 + (4 * Spacing));

        PrefixMark mark = Assert.Single(trail.Marks);
        Assert.Equal((0, (3 * Spacing) - 512), (mark.Entry, mark.Offset));
        trail.AddEntry(Entry(start: 1024 + (4 * Spacing), length: Spacing), end: 1024 + (5 * Spacing));
        Assert.Equal((1, Spacing - 1024), (trail.Marks[1].Entry, trail.Marks[1].Offset));
    }

    [Fact]
    public void Points_in_a_header_and_points_too_near_are_no_marks()
    {
        var trail = new PrefixTrail(_known);
        trail.AddPoint(Point(1000));
        trail.AddPoint(Point(Spacing));

        trail.AddEntry(Entry(start: 2000, length: 3 * Spacing), end: 2000 + (3 * Spacing));

        Assert.Empty(trail.Marks);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_long_trail_has_fewer_marks_all_the_way(bool manyEntries)
    {
        var trail = new PrefixTrail(_known);
        const int Points = 10 * PrefixTrail.MaximumMarks;
        for (int i = 0; i < Points; i++)
        {
            trail.AddPoint(Point(i * Spacing));
            if (manyEntries)
            {
                trail.AddEntry(Entry(i * Spacing, Spacing - 1), ((i + 1) * Spacing) - 1);
            }
        }

        trail.AddEntry(Entry(manyEntries ? Points * Spacing : 0, Points * Spacing), 2 * Points * Spacing);

        Assert.InRange(trail.Marks.Count, PrefixTrail.MaximumMarks / 4, PrefixTrail.MaximumMarks);
        Assert.All(trail.Marks.Zip(trail.Marks.Skip(1)), pair => Assert.InRange(pair.Second.Point.OutputOffset - pair.First.Point.OutputOffset, 8 * Spacing, 64 * Spacing));
    }

    [Fact]
    public void What_was_inherited_stays()
    {
        var first = new PrefixTrail(_known);
        first.AddPoint(Point(Spacing));
        first.AddEntry(Entry(0, 2 * Spacing), 2 * Spacing);
        var second = new PrefixTrail(_known);
        second.Inherit([], first.Entries[0], first.Marks);

        // Another may come to the mark before the entry that it lies in is read.
        Assert.Same(first.Entries[0], second.Entries[second.Marks[0].Entry]);

        for (int i = 2; i < 3 * PrefixTrail.MaximumMarks; i++)
        {
            second.AddPoint(Point(i * Spacing));
        }

        second.AddEntry(Entry(0, 4000 * Spacing), 4000 * Spacing);
        Assert.Same(first.Marks[0], second.Marks[0]);
        Assert.NotSame(first.Entries[0], Assert.Single(second.Entries));
        Assert.InRange(second.Marks.Count, 2, PrefixTrail.MaximumMarks + 1);
    }

    [Fact]
    public void All_trails_together_have_a_limit()
    {
        List<PrefixTrail> trails = [.. Enumerable.Range(0, 10).Select(_ => new PrefixTrail(_known))];
        foreach (PrefixTrail trail in trails)
        {
            for (int i = 0; i < PrefixTrail.MaximumMarks; i++)
            {
                trail.AddPoint(Point(i * Spacing));
            }

            trail.AddEntry(Entry(0, 300 * Spacing), 300 * Spacing);
        }

        Assert.Equal(SharedPrefixes.MaximumPoints, trails.Sum(t => t.Marks.Count));
    }

    [Fact]
    public void Points_that_are_no_marks_leave_room_for_others()
    {
        for (int i = 0; i < 2 * SharedPrefixes.MaximumPoints; i++)
        {
            var trail = new PrefixTrail(_known);
            trail.AddPoint(Point(0));
            trail.AddEntry(Entry(512, 1), 1024);
            trail.AddPoint(Point(Spacing));
            trail.Stop();
            Assert.Empty(trail.Marks);
        }

        Assert.True(_known.TryAddPoint());
    }

    [Fact]
    public void Entries_behind_the_last_mark_are_let_go()
    {
        for (int i = 0; i < 100; i++)
        {
            var trail = new PrefixTrail(_known);
            for (int entry = 0; entry < 1000; entry++)
            {
                trail.AddEntry(Small(), 0);
            }

            Assert.True(trail.IsRunning);
            trail.Stop();
            Assert.Empty(trail.Entries);
        }

        Assert.True(_known.TryKeep(SharedPrefixes.MaximumKept));
    }

    [Fact]
    public void A_trail_keeps_only_so_much_and_is_not_waited_for_then()
    {
        var trail = new PrefixTrail(_known);
        trail.AddPoint(Point(Spacing));
        trail.AddEntry(Entry(0, 2 * Spacing), 2 * Spacing);
        Assert.False(trail.HasPassed(long.MaxValue));

        for (int entry = 0; entry < 10_000; entry++)
        {
            trail.AddEntry(Small(), 0);
        }

        Assert.Single(trail.Entries);
        Assert.Single(trail.Marks);
        Assert.True(trail.HasPassed(long.MaxValue));
    }

    [Fact]
    public void Nor_is_one_waited_for_that_finds_no_room_for_a_point()
    {
        var trail = new PrefixTrail(_known);
        while (_known.TryAddPoint())
        {
        }

        trail.AddPoint(Point(Spacing));

        Assert.True(trail.HasPassed(long.MaxValue));
    }

    private static PassedEntry Small() => Entry(0, 4096) with { Bytes = new byte[4096] };

    private static GzipResumePoint Point(long offset) => new(offset / 2, 0, offset, offset, [], new Crc32());

    private static PassedEntry Entry(long start, long length) => new("entry", new ArchiveEntry(default, null, null, null), null, start, length, default);
}
