using System.Formats.Tar;
using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Tarballs;

/// <summary>Looks into the tars of layers that were read and verified before.</summary>
internal static class LayerFiles
{
    private const string Whiteout = ".wh.";
    private const string OpaqueFolder = ".wh..wh..opq";

    /// <summary>Reads one file of a layer.</summary>
    /// <param name="path">The tarball that the layer is from, for error messages.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="name">The file's name, from the root of the image.</param>
    /// <param name="maximumSize">The most bytes that the file may have.</param>
    /// <param name="cancellation">Stops at once.</param>
    /// <returns>The file's bytes, null when it is not in the layer; and whether the layer removes it from those below.</returns>
    /// <exception cref="TarballException">ErrorId <c>LayerNotTar</c> or <c>LayerFileTooLarge</c>.</exception>
    /// <exception cref="FunctionBuildException">ErrorId <c>BlobChanged</c>.</exception>
    public static (byte[]? Content, bool IsRemoved) Read(string path, ImageLayer layer, string name, long maximumSize, CancellationToken cancellation)
    {
        int slash = name.LastIndexOf('/') + 1;
        string whiteout = name[..slash] + Whiteout + name[slash..];
        string opaque = name[..slash] + OpaqueFolder;
        bool isRemoved = false;
        try
        {
            using Stream blob = layer.Blob.OpenRead();
            using Stream content = layer.Compression == Compression.None ? blob : Codecs.OpenDecoder(layer.Compression, blob);
            var guarded = new HeaderGuardStream(content);
            using var tar = new TarReader(guarded);
            while (Next(tar, guarded) is { } entry)
            {
                cancellation.ThrowIfCancellationRequested();

                // Nix and umoci write absolute names too.
                string? found = EntryName.Normalise(entry.Name.TrimStart('/'));
                if (found == name && entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                {
                    return (ReadContent(path, entry, maximumSize), isRemoved);
                }

                isRemoved |= found is not null && (found == whiteout || found == opaque);
            }

            return (null, isRemoved);
        }
        catch (Exception e) when (e is HeaderTooLargeException or DecodeException or InvalidDataException or FormatException or ArgumentException or OverflowException or NotSupportedException or InvalidOperationException or EndOfStreamException)
        {
            throw new TarballException("LayerNotTar", path, null, $"its layer {layer.DiffId} is no tar that can be read: {e.Message}", FaultKind.InvalidData, e);
        }
    }

    private static TarEntry? Next(TarReader tar, HeaderGuardStream guarded)
    {
        guarded.InHeader = true;
        TarEntry? entry = tar.GetNextEntry();
        guarded.InHeader = false;
        return entry;
    }

    private static byte[] ReadContent(string path, TarEntry entry, long maximumSize)
    {
        if (entry.Length > maximumSize)
        {
            throw new TarballException("LayerFileTooLarge", path, entry.Name, $"it has {entry.Length:N0} bytes, and {maximumSize:N0} are the most.");
        }

        byte[] content = new byte[entry.Length];
        (entry.DataStream ?? Stream.Null).ReadExactly(content);
        return content;
    }
}
