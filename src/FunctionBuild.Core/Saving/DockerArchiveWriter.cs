using System.Formats.Tar;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Saving;

/// <summary>
/// Writes images as one Docker archive: <c>manifest.json</c> first, then each distinct config and layer once. The target
/// need not be seekable, and no layer is held in memory.
/// </summary>
internal static class DockerArchiveWriter
{
    private const UnixFileMode FileMode644 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    // Eleven octal digits; GNU's form has no such limit.
    private const long MaximumUstarSize = (1L << 33) - 1;

    /// <summary>Writes an archive; leaves the target open.</summary>
    /// <param name="target">Where it is written to.</param>
    /// <param name="entries">The images and their tags, in the order of the manifest.</param>
    /// <param name="form">The form of the layers.</param>
    /// <param name="onBytes">Told of the layers' bytes as they are written; may be null.</param>
    /// <param name="cancellation">Stops at once.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>BlobChanged</c>.</exception>
    public static void Write(Stream target, IReadOnlyList<(string Tag, PlatformImage Image)> entries, LayerForm form, Action<int>? onBytes, CancellationToken cancellation)
    {
        using var tar = new TarWriter(target, TarEntryFormat.Ustar, leaveOpen: true);

        // First, so that a reader that streams knows what comes.
        Write(tar, "manifest.json", new MemoryStream(Manifest(entries, form)));
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string _, PlatformImage image) in entries)
        {
            if (written.Add(ConfigName(image)))
            {
                Write(tar, ConfigName(image), image.Config.OpenRead());
            }

            foreach (PackageLayer layer in image.Layers)
            {
                if (written.Add(LayerName(layer, form)))
                {
                    Stream content = form == LayerForm.Uncompressed ? layer.OpenUncompressed() : layer.Blob.OpenRead();
                    Write(tar, LayerName(layer, form), new WatchedStream(content, onBytes, cancellation));
                }
            }
        }
    }

    private static byte[] Manifest(IReadOnlyList<(string Tag, PlatformImage Image)> entries, LayerForm form) => OciJson.Write(writer =>
    {
        writer.WriteStartArray();
        foreach ((string tag, PlatformImage image) in entries)
        {
            writer.WriteStartObject();
            writer.WriteString("Config", ConfigName(image));
            writer.WriteStartArray("RepoTags");
            writer.WriteStringValue(tag);
            writer.WriteEndArray();
            writer.WriteStartArray("Layers");
            foreach (PackageLayer layer in image.Layers)
            {
                writer.WriteStringValue(LayerName(layer, form));
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    private static void Write(TarWriter tar, string name, Stream content)
    {
        using (content)
        {
            TarEntry entry = content.Length > MaximumUstarSize ? new GnuTarEntry(TarEntryType.RegularFile, name) : new UstarTarEntry(TarEntryType.RegularFile, name);
            entry.DataStream = content;
            entry.Mode = FileMode644;
            entry.ModificationTime = DateTimeOffset.UnixEpoch;
            tar.WriteEntry(entry);
        }
    }

    private static string ConfigName(PlatformImage image) => $"{image.Config.Digest.Hex}.json";

    private static string LayerName(PackageLayer layer, LayerForm form)
    {
        if (form == LayerForm.Uncompressed)
        {
            return $"{layer.DiffId.Hex}.tar";
        }

        return layer.Descriptor.Digest.Hex + layer.Compression switch
        {
            Compression.Gzip => ".tar.gz",
            Compression.Zstd => ".tar.zst",
            _ => ".tar",
        };
    }
}
