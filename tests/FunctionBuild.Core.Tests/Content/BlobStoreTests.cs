using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Content;

public sealed class BlobStoreTests : IDisposable
{
    private const int Size = 500_000;
    private static readonly byte[] Content = FixtureImage.Noise("content", Size);

    private readonly TestFolder _folder = new();
    private readonly BlobStore _store;

    public BlobStoreTests() => _store = new BlobStore(_folder.Combine("store"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_lease_does_not_keep_goes_with_it()
    {
        using (BlobLease lease = _store.NewLease())
        {
            Ingest(lease, Content);
            StoredContent kept = Ingest(lease, [1, 2, 3]);
            lease.Keep([kept.Blob.Digest]);
        }

        Assert.Equal([Digest.Of([1, 2, 3]).Hex], Files());
    }

    [Fact]
    public void Content_that_another_lease_holds_stays()
    {
        using BlobLease first = _store.NewLease();
        using (BlobLease second = _store.NewLease())
        {
            Ingest(first, Content);
            Ingest(second, Content);
        }

        Assert.Equal([Digest.Of(Content).Hex], Files());
    }

    [Fact]
    public void Content_that_was_kept_stays_when_a_later_lease_lets_it_go()
    {
        using (BlobLease first = _store.NewLease())
        {
            first.Keep([Ingest(first, Content).Blob.Digest]);
        }

        using (BlobLease second = _store.NewLease())
        {
            Ingest(second, Content);
        }

        Assert.Equal([Digest.Of(Content).Hex], Files());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(128 * 1024)]
    [InlineData((256 * 1024) + 1)]
    [InlineData(Size - 1)]
    public void Content_that_begins_like_a_blob_and_then_differs_is_stored_as_it_is(int difference)
    {
        using BlobLease lease = _store.NewLease();
        byte[] other = [.. Content];
        other[difference] ^= 1;

        Ingest(lease, Content);
        StoredContent stored = Ingest(lease, other);

        Assert.Equal(Digest.Of(other), stored.Blob.Digest);
        Assert.Equal(other, File.ReadAllBytes(stored.Blob.FilePath));
        Assert.Equal(2, Files().Length);
    }

    [Fact]
    public void Content_shorter_than_it_should_be_is_an_error_even_when_it_begins_like_a_blob()
    {
        using BlobLease lease = _store.NewLease();
        Ingest(lease, Content);

        foreach (int length in new[] { 0, 100, 128 * 1024, Size - 1 })
        {
            Assert.Throws<EndOfStreamException>(() => _store.Ingest(lease, new MemoryStream(Content, 0, length), Size, Budget()));
        }

        Assert.Single(Files());
        Assert.Empty(Incoming());
    }

    [Fact]
    public void A_blob_that_content_is_compared_with_is_not_removed_meanwhile()
    {
        BlobLease first = _store.NewLease();
        Ingest(first, Content);
        using (BlobLease second = _store.NewLease())
        {
            using var input = new MeteredStream(Content, most: 50_000)
            {
                OnRead = position =>
                {
                    if (position > Size / 2)
                    {
                        first.Dispose();
                    }
                },
            };

            StoredContent stored = _store.Ingest(second, input, Size, Budget());

            Assert.Equal(Content, File.ReadAllBytes(stored.Blob.FilePath));
        }

        Assert.Empty(Files());
    }

    [Fact]
    public void Empty_content_is_content()
    {
        using BlobLease lease = _store.NewLease();

        Assert.Equal(Digest.Of([]), Ingest(lease, []).Blob.Digest);
        Assert.Equal(Digest.Of([]), Ingest(lease, []).Blob.Digest);
        Assert.Single(Files());
    }

    [Fact]
    public void Compressed_content_is_kept_as_it_came_and_known_by_both_digests()
    {
        using BlobLease lease = _store.NewLease();
        foreach ((Compression compression, byte[] bytes) in new[] { (Compression.Gzip, Compress.Gzip(Content)), (Compression.Zstd, Compress.Zstd(Content, 3)) })
        {
            // The second time it is found by its beginning and not decompressed again.
            foreach (StoredContent stored in new[] { Ingest(lease, bytes), Ingest(lease, bytes) })
            {
                Assert.Equal((compression, Digest.Of(bytes), Digest.Of(Content), (long)Size), (stored.Compression, stored.Blob.Digest, stored.DiffId, stored.UncompressedSize));
                Assert.Equal(bytes, File.ReadAllBytes(stored.Blob.FilePath));
            }
        }
    }

    [Fact]
    public void Compressed_content_that_is_damaged_is_stored_with_the_reason()
    {
        using BlobLease lease = _store.NewLease();
        byte[] cut = Compress.Gzip(Content)[..^1];

        StoredContent stored = Ingest(lease, cut);

        Assert.True(stored.DecodeFailure?.Truncated);
        Assert.Null(stored.DiffId);
        Assert.Equal(Digest.Of(cut), stored.Blob.Digest);
    }

    [Fact]
    public void Low_disk_space_stops_writing_and_names_both_figures()
    {
        long free = BlobStore.DiskReserve - 1;
        var store = new BlobStore(_folder.Combine("full"), () => free);
        using BlobLease lease = store.NewLease();

        for (int attempt = 0; attempt < 2; attempt++)
        {
            FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => store.Ingest(lease, new MemoryStream(Content), Size, Budget()));

            Assert.Equal("DiskSpaceLow", error.ErrorId);
            Assert.Equal(FaultKind.LimitExceeded, error.Kind);
            Assert.Contains($"{free:N0}", error.Message, StringComparison.Ordinal);
            Assert.Contains($"{BlobStore.DiskReserve:N0}", error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFiles(_folder.Combine("full"), "*", SearchOption.AllDirectories));
        }

        free = long.MaxValue;
        Assert.Equal(Digest.Of(Content), store.Ingest(lease, new MemoryStream(Content), Size, Budget()).Blob.Digest);
    }

    [Fact]
    public void Low_disk_space_is_noticed_while_writing()
    {
        long free = long.MaxValue;
        var store = new BlobStore(_folder.Combine("filling"), () => free);
        using BlobLease lease = store.NewLease();
        byte[] large = new byte[80 * 1024 * 1024];
        using var input = new MeteredStream(large, most: 1024 * 1024) { OnRead = position => free = position > 4 * 1024 * 1024 ? 0 : free };

        Assert.Equal("DiskSpaceLow", Assert.Throws<FunctionBuildException>(() => store.Ingest(lease, input, large.Length, Budget())).ErrorId);

        Assert.InRange(input.BytesGiven, 1, 48 * 1024 * 1024);
    }

    [Fact]
    public void A_blob_cut_or_changed_in_the_store_is_noticed_when_it_is_read()
    {
        Blob blob = _store.Put(Content);
        foreach (byte[] damaged in new[] { Content[..^1], [.. Content[..^1], (byte)~Content[^1]] })
        {
            File.WriteAllBytes(blob.FilePath, damaged);

            using Stream stream = blob.OpenRead();
            Assert.Equal("BlobChanged", Assert.Throws<FunctionBuildException>(() => stream.CopyTo(Stream.Null)).ErrorId);
        }
    }

    private static ExpansionBudget Budget() => new("test.tar", long.MaxValue, _ => { }, TestContext.Current.CancellationToken);

    private StoredContent Ingest(BlobLease lease, byte[] content) => _store.Ingest(lease, new MemoryStream(content), content.Length, Budget());

    private string[] Files() => Names(Path.Combine("blobs", "sha256"));

    private string[] Incoming() => Names("incoming");

    private string[] Names(string folder) => [.. Directory.EnumerateFiles(Path.Combine(_folder.Combine("store"), folder)).Select(f => Path.GetFileName(f))];
}
