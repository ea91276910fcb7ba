using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Prefixes;

/// <summary>A point at which the reading of a tarball can be resumed: one of decompression that lies in the data of an entry, or right behind them.</summary>
/// <param name="Point">Where decompression is resumed.</param>
/// <param name="Entry">Number of the entry among those that were passed.</param>
/// <param name="Offset">Bytes from the beginning of the entry's data to the point; more than there are when it lies in the padding.</param>
internal sealed record PrefixMark(GzipResumePoint Point, int Entry, long Offset)
{
    /// <summary>How many bytes of the file determine everything before the point.</summary>
    public long SourceEnd { get; } = Point.SourceOffset + (Point.BitOffset > 0 ? 1 : 0);
}
