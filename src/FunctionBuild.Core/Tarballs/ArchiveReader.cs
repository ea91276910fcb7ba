using System.Buffers;
using System.Formats.Tar;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tarballs;

/// <summary>
/// The one pass over a tarball: opens it once, decompresses it once, reads its entries in whatever order they come and
/// puts them where they can be found. What they mean is decided afterwards, because the manifest may come last.
/// </summary>
internal sealed class ArchiveReader(string path, BlobStore store, BlobLease lease, ExpansionBudget budget)
{
    /// <summary>Larger JSON is content like any other; image manifests are limited to this (OCI distribution spec).</summary>
    public const int MaximumJsonSize = 4 * 1024 * 1024;

    private const int MaximumJsonTotal = 64 * 1024 * 1024;
    private const int MaximumEntries = 100_000;
    private const int MaximumNameCharacters = 16 * 1024 * 1024;

    private readonly ArchiveContent _content = new(path);
    private int _jsonTotal;
    private int _nameCharacters;

    public ArchiveContent Read(TarballInputStream input)
    {
        ReadOnlySpan<byte> head = input.Peek(Codecs.SniffLength);
        Compression compression = Codecs.Sniff(head);
        if (compression == Compression.None && Codecs.UnsupportedName(head) is { } name)
        {
            throw Error("UnknownCompression", null, $"it is a {name} file. Expected a tar archive, plain or compressed with gzip, zstd, xz or bzip2.");
        }

        try
        {
            if (compression == Compression.None)
            {
                ReadEntries(input, input);
            }
            else
            {
                using Stream decoded = budget.Count(Codecs.OpenDecoder(compression, input));
                ReadEntries(decoded, null);
            }
        }
        catch (DecodeException e)
        {
            throw e.Truncated
                ? Error("TarballTruncated", null, $"its {e.Compression.ToString().ToLowerInvariant()} stream ends too early, after {input.Consumed:N0} bytes of the file. Copy or download it again.", e)
                : Error("TarballCorrupt", null, $"its {e.Compression.ToString().ToLowerInvariant()} stream is damaged: {e.Message}. Copy or download it again.", e);
        }

        return _content;
    }

    private void ReadEntries(Stream archive, TarballInputStream? plain)
    {
        var guarded = new HeaderGuardStream(archive);
        using var reader = new TarReader(guarded, leaveOpen: true);
        for (int count = 0; ; count++)
        {
            TarEntry? entry;
            try
            {
                guarded.InHeader = true;
                entry = reader.GetNextEntry();
                guarded.InHeader = false;
            }
            catch (HeaderTooLargeException e)
            {
                throw Error("HeaderTooLarge", null, $"the header after {count} entries claims {e.Size:N0} bytes for names and attributes; at most {HeaderGuardStream.MaximumHeader:N0} are accepted.", e);
            }
            catch (NotSupportedException) when (guarded.EntryType == TarEntryType.SparseFile)
            {
                throw Unsupported(null, guarded.EntryType);
            }
            catch (EndOfStreamException e)
            {
                throw Error("TarballTruncated", null, $"it ends within the header or the padding after {count} entries. Copy or download it again.", e);
            }
            catch (Exception e) when (e is InvalidDataException or FormatException or ArgumentException or OverflowException or NotSupportedException or InvalidOperationException)
            {
                throw guarded.HasMagic || count > 0
                    ? Error("TarballCorrupt", null, $"the tar header after {count} entries is damaged: {e.Message}", e)
                    : Error("TarballNotTar", null, "it is not a tar archive. Expected an image tarball, plain or compressed with gzip, zstd, xz or bzip2.", e);
            }

            if (entry is null)
            {
                break;
            }

            if (count == MaximumEntries)
            {
                throw Error("TarballNotImage", null, $"it has more than {MaximumEntries:N0} entries. Expected an image tarball, whose entries are layers, not files.");
            }

            try
            {
                Add(entry, guarded, plain);
            }
            catch (EndOfStreamException e)
            {
                throw Error("TarballTruncated", entry.Name, $"it should have {entry.Length:N0} bytes, but the tarball ends before. Copy or download it again.", e);
            }
        }

        Drain(archive);
    }

    private void Add(TarEntry entry, HeaderGuardStream position, TarballInputStream? plain)
    {
        if (entry.EntryType == TarEntryType.GlobalExtendedAttributes)
        {
            return;
        }

        if (Math.Max(entry.Name.Length, entry.LinkName.Length) > EntryName.MaximumLength)
        {
            throw Error("HeaderTooLarge", entry.Name[..Math.Min(entry.Name.Length, 100)], $"its name or link target has more than {EntryName.MaximumLength:N0} characters.");
        }

        _nameCharacters += entry.Name.Length + entry.LinkName.Length;
        if (_nameCharacters > MaximumNameCharacters)
        {
            throw Error("TarballNotImage", null, $"the names of its entries have more than {MaximumNameCharacters:N0} characters. Expected an image tarball, whose entries are layers, not files.");
        }

        string name = EntryName.Normalise(entry.Name)
            ?? throw Error("EntryPathUnsafe", entry.Name, "its name is absolute or leads out of the archive. Such a tarball is not imported.");
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                break;

            case TarEntryType.SymbolicLink:
                AddLink(name, entry, EntryName.Resolve(name, entry.LinkName));
                break;

            case TarEntryType.HardLink:
                AddLink(name, entry, EntryName.Normalise(entry.LinkName));
                break;

            case TarEntryType.RegularFile when entry is PaxTarEntry pax && pax.ExtendedAttributes.Keys.Any(k => k.StartsWith("GNU.sparse.", StringComparison.Ordinal)):
                throw Unsupported(entry.Name, TarEntryType.SparseFile);

            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                if (name.Length == 0)
                {
                    throw Error("EntryPathUnsafe", entry.Name, "a file without a name.");
                }

                _content.Add(name, ReadFile(entry, position, plain));
                break;

            default:
                throw Unsupported(entry.Name, entry.EntryType);
        }
    }

    private void AddLink(string name, TarEntry entry, string? target) => _content.Add(
        name,
        new ArchiveContent.Entry(default, null, null, target ?? throw Error("LinkOutside", entry.Name, $"it links to '{entry.LinkName}', outside of the archive. Such a tarball is not imported.")));

    private ArchiveContent.Entry ReadFile(TarEntry entry, HeaderGuardStream position, TarballInputStream? plain)
    {
        long length = entry.Length;
        long offset = position.Position;
        if (plain is null && length > budget.Remaining)
        {
            throw budget.Exceeded(entry.Name);
        }

        Stream data = entry.DataStream ?? Stream.Null;
        byte[] head = new byte[(int)Math.Min(length, 16)];
        data.ReadExactly(head);
        if (length <= MaximumJsonSize && LooksLikeJson(head) && _jsonTotal + length <= MaximumJsonTotal)
        {
            _jsonTotal += (int)length;
            byte[] json = new byte[length];
            head.CopyTo(json, 0);
            data.ReadExactly(json.AsSpan(head.Length));
            return new ArchiveContent.Entry(Digest.Of(json), json, null, null);
        }

        using var whole = new ReplayStream(null, 0, head, data);
        StoredContent stored = plain is null
            ? store.Ingest(lease, whole, length, budget)
            : store.IngestSlice(lease, whole, length, path, offset, budget);
        return new ArchiveContent.Entry(stored.Blob.Digest, null, stored, null);
    }

    /// <summary>Reads what follows the end of the archive, so that checksums of the compression are checked and every byte is counted.</summary>
    private static void Drain(Stream archive)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            while (archive.Read(buffer) > 0)
            {
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool LooksLikeJson(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> trimmed = head.TrimStart(" \t\r\n"u8);
        return trimmed.StartsWith("{"u8) || trimmed.StartsWith("["u8);
    }

    private TarballException Unsupported(string? entry, TarEntryType type) =>
        Error("EntryTypeUnsupported", entry, $"{(entry is null ? "an entry" : "it")} is a {Describe(type)}. An image tarball holds files, folders and links only.");

    private static string Describe(TarEntryType type) => type switch
    {
        TarEntryType.BlockDevice => "block device",
        TarEntryType.CharacterDevice => "character device",
        TarEntryType.Fifo => "named pipe",
        TarEntryType.SparseFile => "sparse file",
        _ => $"tar entry of type '{(char)type}'",
    };

    private TarballException Error(string errorId, string? entry, string problem, Exception? cause = null) => _content.Error(errorId, entry, problem, cause);
}
