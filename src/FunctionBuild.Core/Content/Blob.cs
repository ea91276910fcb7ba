using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Bytes that exist on disk: a whole file in the workspace's store, or a slice of a plain tarball, which is
/// referenced in place and never copied.
/// </summary>
/// <param name="Digest">Digest of these bytes, verified when they were first read.</param>
/// <param name="Length">Number of bytes.</param>
/// <param name="FilePath">The file that holds them.</param>
/// <param name="Offset">Where they begin in the file.</param>
public sealed record Blob(Digest Digest, long Length, string FilePath, long Offset = 0)
{
    /// <summary>Whether the bytes are part of a tarball outside the workspace.</summary>
    public bool IsSlice { get; init; }

    /// <summary>
    /// Opens the bytes for reading. The stream hashes what passes; reading to the end of bytes that are no longer
    /// those of <see cref="Digest"/> throws.
    /// </summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>BlobChanged</c>: the file is gone, cut or other than when it was read first.</exception>
    public Stream OpenRead() => new BlobReadStream(this);

    /// <summary>The blob's digest.</summary>
    public override string ToString() => Digest.ToString();

    internal FunctionBuildException Changed(string how, Exception? cause = null) => new(
        "BlobChanged",
        FaultKind.InvalidData,
        $"'{FilePath}' {how} since it was imported: {Length} bytes of {Digest} were expected at offset {Offset}. Import the tarball again.",
        FilePath,
        cause);
}
