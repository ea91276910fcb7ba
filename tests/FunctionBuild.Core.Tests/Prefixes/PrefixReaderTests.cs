using System.IO.Hashing;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Prefixes;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Prefixes;

public sealed class PrefixReaderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Content_that_is_gone_leaves_the_mark_before_it_as_it_was()
    {
        byte[] file = new byte[1000];
        var known = new SharedPrefixes();
        var first = new PrefixTrail(known);
        var store = new BlobStore(_folder.Combine("store"));
        PassedEntry small = Entry(0, null) with { Bytes = new byte[1] };
        PassedEntry gone = Entry(PrefixTrail.Spacing, new StoredContent(new Blob(Digest.Of([1]), 1, "gone"), Compression.None, null, 1));
        foreach (PassedEntry entry in new[] { small, gone })
        {
            first.AddPoint(new GzipResumePoint(100 + (entry.DataStart / PrefixTrail.Spacing), 0, entry.DataStart, 0, [], new Crc32()));
            first.AddEntry(entry, entry.DataStart);
        }

        lock (known.Gate)
        {
            known.Add(Digest.Of(file), first);
        }

        first.Stop();
        using BlobLease lease = store.NewLease();
        using var reader = new PrefixReader(new MemoryStream(file), known, lease, TestContext.Current.CancellationToken);

        PrefixResume? resume = reader.Follow();

        Assert.NotNull(resume);
        Assert.Same(first.Marks[0], resume.Mark);
        Assert.Same(small, resume.Current);
        Assert.Empty(resume.Passed);
    }

    private static PassedEntry Entry(long start, StoredContent? stored) =>
        new("entry", new ArchiveEntry(default, null, stored, null), null, start, 1, default);
}
