using System.Formats.Tar;
using System.Security.Cryptography;

namespace PackImage;

/// <summary>A layer: a tar whose bytes depend on nothing but its files' names, modes and contents.</summary>
internal sealed class ImageLayer
{
    private ImageLayer(string name, int fileCount, byte[] tar)
    {
        Name = name;
        FileCount = fileCount;
        Tar = tar;
        Digest = Convert.ToHexStringLower(SHA256.HashData(tar));
    }

    /// <summary>What the layer holds, for the reader.</summary>
    public string Name { get; }

    /// <summary>How many files it holds, folders aside.</summary>
    public int FileCount { get; }

    /// <summary>The uncompressed tar.</summary>
    public byte[] Tar { get; }

    /// <summary>The tar's SHA-256 in hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>Makes a layer; the folders that lead to the files are added.</summary>
    public static ImageLayer Make(string name, IReadOnlyCollection<ImageFile> files)
    {
        var entries = new SortedDictionary<string, ImageFile>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var folder in FoldersAbove(file.Path))
            {
                entries.TryAdd(folder, new ImageFile(folder, ImageFile.Executable, Content: null));
            }
            entries[file.Path] = file;
        }
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var entry in entries.Values)
            {
                tar.WriteEntry(ToEntry(entry));
            }
        }
        return new ImageLayer(name, files.Count(file => file.Content is not null), buffer.ToArray());
    }

    private static UstarTarEntry ToEntry(ImageFile file)
    {
        var entry = file.Content is { } content
            ? new UstarTarEntry(TarEntryType.RegularFile, file.Path) { DataStream = new MemoryStream(content, writable: false) }
            : new UstarTarEntry(TarEntryType.Directory, file.Path + "/");
        entry.Mode = file.Mode;
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        return entry;
    }

    private static IEnumerable<string> FoldersAbove(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            yield return path[..slash];
        }
    }
}
