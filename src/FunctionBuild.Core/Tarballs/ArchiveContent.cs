using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Tarballs;

/// <summary>What one pass over a tarball found: small JSON in memory, everything else as stored content, and links.</summary>
internal sealed class ArchiveContent(string path)
{
    private const int MaximumLinks = 16;
    private const int MaximumFolderSteps = 1_000_000;

    private readonly Dictionary<string, ArchiveEntry> _entries = new(StringComparer.Ordinal);
    private int _folderSteps;

    /// <summary>The tarball.</summary>
    public string Path { get; } = path;

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Names, for error messages.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    public TarballException Error(string errorId, string? entry, string problem, Exception? cause = null) =>
        new(errorId, Path, entry, problem, FaultKind.InvalidData, cause);

    public void Add(string name, ArchiveEntry entry)
    {
        if (!_entries.TryAdd(name, entry) && _entries[name] != entry)
        {
            throw Error("DuplicateEntry", name, "it stands in the tarball twice, with different content. Make the tarball anew.");
        }
    }

    /// <summary>The file of that name, following links; null when there is none.</summary>
    public ArchiveEntry? Find(string name)
    {
        string start = name;
        for (int links = 0; links <= MaximumLinks; links++)
        {
            if (!_entries.TryGetValue(name, out ArchiveEntry? entry))
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
        foreach ((string name, ArchiveEntry entry) in _entries)
        {
            if (entry.LinkTarget is not null)
            {
                Find(name);
            }
        }
    }

    private string? ResolveDirectories(string name)
    {
        Dictionary<string, ArchiveEntry>.AlternateLookup<ReadOnlySpan<char>> entries = _entries.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int slash = name.LastIndexOf('/'); slash > 0; slash = name.LastIndexOf('/', slash - 1))
        {
            if (entries.TryGetValue(name.AsSpan(0, slash), out ArchiveEntry? folder) && folder.LinkTarget is { } target)
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
}
