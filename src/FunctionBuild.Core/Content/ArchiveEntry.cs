using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Content;

/// <summary>A file or link in a tarball. Two are equal when they have the same content, or the same target.</summary>
/// <param name="Digest">Digest of the file's bytes.</param>
/// <param name="Json">The file's bytes when they are small JSON.</param>
/// <param name="Stored">The file's content when it is anything else.</param>
/// <param name="LinkTarget">Where a link points; null for a file.</param>
internal sealed record ArchiveEntry(Digest Digest, byte[]? Json, StoredContent? Stored, string? LinkTarget)
{
    /// <summary>Size of the file in bytes.</summary>
    public long Length => Json?.Length ?? Stored?.Blob.Length ?? 0;

    public bool Equals(ArchiveEntry? other) => other is not null && Digest == other.Digest && LinkTarget == other.LinkTarget;

    public override int GetHashCode() => HashCode.Combine(Digest, LinkTarget);
}
