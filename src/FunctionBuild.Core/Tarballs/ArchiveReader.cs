using System.Buffers;
using System.Formats.Tar;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Prefixes;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Tarballs;

/// <summary>
/// The one pass over a tarball: opens it once, decompresses it once, reads its entries in whatever order they come and
/// puts them where they can be found. What they mean is decided afterwards, because the manifest may come last.
/// </summary>
internal sealed class ArchiveReader(string path, BlobStore store, BlobLease lease, SharedPrefixes prefixes, ExpansionBudget budget, Action<string>? report)
{
    /// <summary>Larger JSON is content like any other; image manifests are limited to this (OCI distribution spec).</summary>
    public const int MaximumJsonSize = 4 * 1024 * 1024;

    private const int MaximumJsonTotal = 64 * 1024 * 1024;
    private const int MaximumEntries = 100_000;
    private const int MaximumNameCharacters = 16 * 1024 * 1024;
    private const int BlockSize = 512;

    /// <summary>Content of at most this size stays in memory for tarballs that begin alike; no image may use it, and then it is not stored.</summary>
    private const int SmallSize = 4 * 1024;

    private readonly ArchiveContent _content = new(path);
    private PrefixTrail? _trail;
    private int _count;
    private int _jsonTotal;
    private int _nameCharacters;

    public ArchiveContent Read(TarballInputStream input, CancellationToken cancellation)
    {
        ReadOnlySpan<byte> head = input.Peek(Codecs.SniffLength);
        Compression compression = Codecs.Sniff(head);
        if (compression == Compression.None && Codecs.UnsupportedName(head) is { } name)
        {
            throw Error("UnknownCompression", null, $"it is a {name} file. Expected a tar archive, plain or compressed with gzip, zstd, xz or bzip2.");
        }

        try
        {
            switch (compression)
            {
                case Compression.None:
                    ReadEntries(input, new HeaderGuardStream(input), input);
                    break;

                case Compression.Gzip:
                    ReadGzip(input, cancellation);
                    break;

                default:
                    using (Stream decoded = budget.Count(Codecs.OpenDecoder(compression, input)))
                    {
                        ReadEntries(decoded, new HeaderGuardStream(decoded), null);
                    }

                    break;
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

    private void ReadGzip(TarballInputStream input, CancellationToken cancellation)
    {
        using var file = new PrefixReader(input, prefixes, lease, cancellation)
        {
            OnWait = () => report?.Invoke($"'{path}': begins like a tarball that is being imported, and waits for it."),
        };
        PrefixResume? resume = file.Follow();
        GzipResumePoint? point = resume?.Mark.Point;
        if (point is not null)
        {
            report?.Invoke($"'{path}': begins like another tarball; its first {point.SourceOffset + file.HeaderFields:N0} bytes are not decompressed again.");
        }

        _trail = file.Trail;
        using var decoder = point is null ? new GzipDecodeStream(file, findPoints: true) : new GzipDecodeStream(file, point, findPoints: true);
        using Stream archive = budget.Count(new MarkedStream(decoder, _trail, point?.OutputOffset ?? 0));
        long position = resume is null ? 0 : Resume(resume, archive);
        ReadEntries(archive, new HeaderGuardStream(archive, position), null);
    }

    /// <summary>Takes what is known, and reads the rest of the entry that it ends in; where the next header begins.</summary>
    private long Resume(PrefixResume resume, Stream archive)
    {
        foreach (PassedEntry passed in resume.Passed)
        {
            _content.Add(passed.Name, Known(passed));
        }

        PassedEntry current = resume.Current;
        long end = EndOf(current.DataStart, current.Length);
        long missing = Math.Max(current.Length - resume.Mark.Offset, 0);
        (_count, _jsonTotal, _nameCharacters, long expanded) = current.Before;

        // Small compressed content was decompressed again, and counted.
        budget.Skip(expanded + resume.Mark.Offset - budget.Used);
        if (missing == 0)
        {
            _content.Add(current.Name, Known(current));
            if (current is { Bytes: null, Entry.Stored: { } whole })
            {
                budget.Skip(whole);
            }

            _trail!.AddEntry(current, end);
        }
        else
        {
            byte[]? bytes = current.Entry.Json ?? current.Bytes;
            using SafeFileHandle? stored = bytes is null ? File.OpenHandle(current.Entry.Stored!.Blob.FilePath) : null;
            long fromFile = bytes is null ? resume.Mark.Offset : 0;
            using var data = new ReplayStream(stored, fromFile, bytes.AsMemory(0, (int)(resume.Mark.Offset - fromFile)), new PartStream(archive, missing));
            try
            {
                AddFile(current.Name, current.Length, data, current.DataStart, current.Before, null);
            }
            catch (EndOfStreamException e)
            {
                throw Cut(current.Name, current.Length, e);
            }
        }

        _count++;
        try
        {
            Skip(archive, end - resume.Mark.Point.OutputOffset - missing);
        }
        catch (EndOfStreamException e)
        {
            throw CutBetween(e);
        }

        return end;
    }

    /// <summary>What is known of an entry that was passed; what it decompresses to is not counted, unless it is small.</summary>
    private ArchiveEntry Known(PassedEntry passed) => passed.Bytes is null ? passed.Entry : ReadData(passed.Length, new MemoryStream(passed.Bytes), 0, null).Entry;

    private void ReadEntries(Stream archive, HeaderGuardStream guarded, TarballInputStream? plain)
    {
        using var reader = new TarReader(guarded, leaveOpen: true);
        for (; ; _count++)
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
                throw Error("HeaderTooLarge", null, $"the header after {_count} entries claims {e.Size:N0} bytes for names and attributes; at most {HeaderGuardStream.MaximumHeader:N0} are accepted.", e);
            }
            catch (NotSupportedException) when (guarded.EntryType == TarEntryType.SparseFile)
            {
                throw Unsupported(null, guarded.EntryType);
            }
            catch (EndOfStreamException e)
            {
                throw CutBetween(e);
            }
            catch (Exception e) when (e is InvalidDataException or FormatException or ArgumentException or OverflowException or NotSupportedException or InvalidOperationException)
            {
                throw guarded.HasMagic || _count > 0
                    ? Error("TarballCorrupt", null, $"the tar header after {_count} entries is damaged: {e.Message}", e)
                    : Error("TarballNotTar", null, "it is not a tar archive. Expected an image tarball, plain or compressed with gzip, zstd, xz or bzip2.", e);
            }

            if (entry is null)
            {
                break;
            }

            if (_count == MaximumEntries)
            {
                throw Error("TarballNotImage", null, $"it has more than {MaximumEntries:N0} entries. Expected an image tarball, whose entries are layers, not files.");
            }

            try
            {
                Add(entry, guarded, plain);
            }
            catch (EndOfStreamException e)
            {
                throw Cut(entry.Name, entry.Length, e);
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
                AddLink(name, entry, EntryName.Resolve(name, entry.LinkName), position);
                break;

            case TarEntryType.HardLink:
                AddLink(name, entry, EntryName.Normalise(entry.LinkName), position);
                break;

            case TarEntryType.RegularFile when entry is PaxTarEntry pax && pax.ExtendedAttributes.Keys.Any(k => k.StartsWith("GNU.sparse.", StringComparison.Ordinal)):
                throw Unsupported(entry.Name, TarEntryType.SparseFile);

            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                if (name.Length == 0)
                {
                    throw Error("EntryPathUnsafe", entry.Name, "a file without a name.");
                }

                if (plain is null && entry.Length > budget.Remaining)
                {
                    throw budget.Exceeded(entry.Name);
                }

                AddFile(name, entry.Length, entry.DataStream ?? Stream.Null, position.Position, State(), plain);
                break;

            default:
                throw Unsupported(entry.Name, entry.EntryType);
        }
    }

    private ReadState State() => new(_count, _jsonTotal, _nameCharacters, budget.Used);

    private void AddLink(string name, TarEntry entry, string? target, HeaderGuardStream position)
    {
        var link = new ArchiveEntry(default, null, null, target ?? throw Error("LinkOutside", entry.Name, $"it links to '{entry.LinkName}', outside of the archive. Such a tarball is not imported."));
        _content.Add(name, link);
        _trail?.AddEntry(new PassedEntry(name, link, null, position.Position, 0, State()), position.Position);
    }

    private void AddFile(string name, long length, Stream data, long start, ReadState before, TarballInputStream? plain)
    {
        (ArchiveEntry file, byte[]? bytes) = ReadData(length, data, start, plain);
        _content.Add(name, file);
        _trail?.AddEntry(new PassedEntry(name, file, bytes, start, length, before), EndOf(start, length));
    }

    private (ArchiveEntry Entry, byte[]? Bytes) ReadData(long length, Stream data, long start, TarballInputStream? plain)
    {
        byte[] head = new byte[(int)Math.Min(length, 16)];
        data.ReadExactly(head);
        if (length <= MaximumJsonSize && LooksLikeJson(head) && _jsonTotal + length <= MaximumJsonTotal)
        {
            _jsonTotal += (int)length;
            byte[] json = ReadRest(head, data, length);
            return (new ArchiveEntry(Digest.Of(json), json, null, null), null);
        }

        byte[]? bytes = _trail is not null && length <= SmallSize ? ReadRest(head, data, length) : null;
        using Stream whole = bytes is null ? new ReplayStream(null, 0, head, data) : new MemoryStream(bytes);
        StoredContent stored = plain is null
            ? store.Ingest(lease, whole, length, budget)
            : store.IngestSlice(lease, whole, length, path, start, budget);
        return (new ArchiveEntry(stored.Blob.Digest, null, stored, null), bytes);
    }

    private static byte[] ReadRest(byte[] head, Stream data, long length)
    {
        byte[] whole = new byte[length];
        head.CopyTo(whole, 0);
        data.ReadExactly(whole.AsSpan(head.Length));
        return whole;
    }

    /// <summary>Where the header after an entry's data begins.</summary>
    private static long EndOf(long start, long length) => start + (length + BlockSize - 1) / BlockSize * BlockSize;

    private static void Skip(Stream archive, long count)
    {
        Span<byte> padding = stackalloc byte[BlockSize];
        archive.ReadExactly(padding[..(int)count]);
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

    private TarballException Cut(string entry, long length, Exception cause) =>
        Error("TarballTruncated", entry, $"it should have {length:N0} bytes, but the tarball ends before. Copy or download it again.", cause);

    private TarballException CutBetween(Exception cause) =>
        Error("TarballTruncated", null, $"it ends within the header or the padding after {_count} entries. Copy or download it again.", cause);

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
