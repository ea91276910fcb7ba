namespace FunctionBuild.Core.Content;

/// <summary>Counts what one tarball decompresses to, and stops it at the caller's limit.</summary>
internal sealed class ExpansionBudget(string path, long limit, Action<int> onDecompressed, CancellationToken cancellation)
{
    private long _used;

    /// <summary>What is left before the limit.</summary>
    public long Remaining => limit - _used;

    /// <summary>What has been decompressed so far, or would have been, in bytes.</summary>
    public long Used => _used;

    /// <summary>Accounts for bytes that need not be decompressed, because another tarball begins with the same.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>ExpandedSizeExceeded</c>.</exception>
    public void Skip(long count)
    {
        _used += count;
        if (_used > limit)
        {
            throw Exceeded(null);
        }
    }

    /// <summary>Accounts for content of the tarball that need not be decompressed, because the store has it.</summary>
    /// <inheritdoc cref="Skip(long)"/>
    public void Skip(StoredContent content) => Skip(content.Compression == Compression.None ? 0 : content.UncompressedSize);

    /// <summary>Accounts for decompressed bytes.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>ExpandedSizeExceeded</c>.</exception>
    public void Add(int count)
    {
        cancellation.ThrowIfCancellationRequested();
        _used += count;
        onDecompressed(count);
        if (_used > limit)
        {
            throw Exceeded(null);
        }
    }

    /// <summary>The error for an entry, or the whole, that does not fit.</summary>
    public FunctionBuildException Exceeded(string? entry) => new(
        "ExpandedSizeExceeded",
        FaultKind.LimitExceeded,
        $"'{path}'{(entry is null ? string.Empty : $", entry '{entry}'")} decompresses to more than the limit of {limit:N0} bytes. If the tarball is trusted, raise -MaximumExpandedSize.",
        path);

    /// <summary>A decoder's output, counted.</summary>
    public Stream Count(Stream decoded) => new CountedStream(decoded, this);

    private sealed class CountedStream(Stream inner, ExpansionBudget budget) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            budget.Add(read);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
