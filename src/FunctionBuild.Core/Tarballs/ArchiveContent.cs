using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tarballs;

/// <summary>What one pass over a tarball found: small JSON in memory, everything else as stored content, and links.</summary>
internal sealed class ArchiveContent(string path)
{
    private const int MaximumLinks = 16;
    private const int MaximumFolderSteps = 1_000_000;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private int _folderSteps;

    /// <summary>The tarball.</summary>
    public string Path { get; } = path;

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Names, for error messages.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    public TarballException Error(string errorId, string? entry, string problem, Exception? cause = null) =>
        new(errorId, Path, entry, problem, FaultKind.InvalidData, cause);

    public void Add(string name, Entry entry)
    {
        if (!_entries.TryAdd(name, entry) && _entries[name] != entry)
        {
            throw Error("DuplicateEntry", name, "it stands in the tarball twice, with different content. Make the tarball anew.");
        }
    }

    /// <summary>The file of that name, following links; null when there is none.</summary>
    public Entry? Find(string name)
    {
        string start = name;
        for (int links = 0; links <= MaximumLinks; links++)
        {
            if (!_entries.TryGetValue(name, out Entry? entry))
            {
                // The last component may sit behind a link to a directory.
                if (ResolveDirectories(name) is { } resolved && resolved != name)
                {
                    name = resolved;
                    continue;
                }

                return null;
            }

            if (entry.LinkTarget is null)
            {
                return entry;
            }

            name = entry.LinkTarget;
        }

        throw Error("LinkLoop", start, $"following its links does not end after {MaximumLinks} steps.");
    }

    /// <summary>Follows every link, so that a loop is found even where nothing uses it.</summary>
    public void CheckLinks()
    {
        foreach ((string name, Entry entry) in _entries)
        {
            if (entry.LinkTarget is not null)
            {
                Find(name);
            }
        }
    }

    private string? ResolveDirectories(string name)
    {
        Dictionary<string, Entry>.AlternateLookup<ReadOnlySpan<char>> entries = _entries.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int slash = name.LastIndexOf('/'); slash > 0; slash = name.LastIndexOf('/', slash - 1))
        {
            if (entries.TryGetValue(name.AsSpan(0, slash), out Entry? folder) && folder.LinkTarget is { } target)
            {
                return target + name[slash..];
            }

            if (++_folderSteps > MaximumFolderSteps)
            {
                throw Error("LinkLoop", name, $"following the links of the tarball takes more than {MaximumFolderSteps:N0} steps.");
            }
        }

        return null;
    }

    /// <summary>A file or link.</summary>
    /// <param name="Digest">Digest of the file's bytes.</param>
    /// <param name="Json">The file's bytes when they are small JSON.</param>
    /// <param name="Stored">The file's content when it is anything else.</param>
    /// <param name="LinkTarget">Where a link points; null for a file.</param>
    public sealed record Entry(Digest Digest, byte[]? Json, StoredContent? Stored, string? LinkTarget)
    {
        /// <summary>Size of the file in bytes.</summary>
        public long Length => Json?.Length ?? Stored?.Blob.Length ?? 0;

        public bool Equals(Entry? other) => other is not null && Digest == other.Digest && LinkTarget == other.LinkTarget;

        public override int GetHashCode() => HashCode.Combine(Digest, LinkTarget);
    }
}
