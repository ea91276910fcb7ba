namespace FunctionBuild.Core.Content;

/// <summary>Compressed data that cannot be decompressed.</summary>
internal sealed class DecodeException(Compression compression, bool truncated, string detail, Exception? cause = null)
    : IOException(detail, cause)
{
    public Compression Compression { get; } = compression;

    /// <summary>Whether the data ended too early, rather than being damaged.</summary>
    public bool Truncated { get; } = truncated;
}
