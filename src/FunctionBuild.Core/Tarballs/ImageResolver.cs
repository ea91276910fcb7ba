using System.Text.Json;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tarballs;

/// <summary>
/// Finds the images in what a pass over a tarball found, and verifies them: Docker archives (<c>manifest.json</c>), OCI
/// layouts (<c>index.json</c>), and tarballs that are both at once.
/// </summary>
internal sealed class ImageResolver(ArchiveContent content, BlobLease lease)
{
    private const int MaximumIndexDepth = 8;
    private const int MaximumListed = 100_000;
    private const string BlobPrefix = "blobs/sha256/";

    // Indexes may list each other, and many tags the same image: each piece of JSON is read once, and what they list is
    // followed so many times only.
    private readonly Dictionary<Digest, List<Descriptor>> _indexes = [];
    private readonly Dictionary<Digest, Digest?> _manifests = [];
    private readonly Dictionary<Digest, List<string>> _tags = [];
    private readonly List<ResolvedImage> _images = [];
    private int _listed;

    /// <summary>The images, in the order in which the tarball names them.</summary>
    /// <exception cref="TarballException">The tarball is not an image archive, or lies about its content.</exception>
    public IReadOnlyList<ResolvedImage> Resolve()
    {
        content.CheckLinks();
        CheckBlobNames();
        ArchiveEntry? manifest = content.Find("manifest.json");
        ArchiveEntry? index = content.Find("index.json");
        if (manifest is null && index is null)
        {
            string found = content.Count == 0 ? "It is empty." : $"It begins with '{content.Names.First()}'.";
            throw content.Error("ManifestMissing", null, $"neither 'manifest.json' (Docker archive) nor 'index.json' (OCI layout) is in it, so it is not an image tarball. {found}");
        }

        if (index is not null)
        {
            ReadIndex("index.json", index, [], 0, mayBeSparse: manifest is not null);
        }

        if (manifest is not null)
        {
            ReadDockerManifest(manifest);
        }

        return _images.Count > 0
            ? [.. _images.Select(i => i with { Tags = [.. _tags[i.Config.Digest].Distinct()] })]
            : throw content.Error("ManifestInvalid", manifest is null ? "index.json" : "manifest.json", "it lists no image.");
    }

    /// <summary>A blob of a layout must have the digest that is its name, whatever the archive's kind.</summary>
    private void CheckBlobNames()
    {
        foreach (string name in content.Names)
        {
            if (name.StartsWith(BlobPrefix, StringComparison.Ordinal) && content.Find(name) is { } entry)
            {
                CheckName(name, name[BlobPrefix.Length..], entry);
            }
        }
    }

    private void CheckName(string name, string hex, ArchiveEntry entry)
    {
        if (Digest.TryParseHex(hex, out Digest digest) && entry.Digest != digest)
        {
            throw content.Error("BlobDigestMismatch", name, $"its content has the digest {entry.Digest}. The tarball is damaged or was tampered with.");
        }
    }

    private void ReadDockerManifest(ArchiveEntry manifest)
    {
        foreach (DockerEntry entry in ParseDockerManifest(manifest))
        {
            ArchiveEntry config = Lookup(entry.Config)
                ?? throw content.Error("ConfigMissing", entry.Config, "'manifest.json' names it as an image's config, but it is not in the tarball.");
            CheckConfigName(entry.Config, config);
            if (_tags.TryGetValue(config.Digest, out List<string>? known))
            {
                known.AddRange(entry.Tags);
                continue;
            }

            var layers = new List<(string Name, ArchiveEntry Entry)>();
            foreach (string layer in entry.Layers)
            {
                layers.Add((layer, Lookup(layer)
                    ?? throw content.Error("LayerMissing", layer, "'manifest.json' names it as a layer, but it is not in the tarball.")));
            }

            AddImage(entry.Config, config, layers, entry.Tags);
        }
    }

    // Every tool names the config by its digest, as "<hex>.json", "sha256:<hex>" or "<hex>". In a plain tarball that name
    // is all that tells a damaged config from a sound one.
    private void CheckConfigName(string name, ArchiveEntry config)
    {
        string hex = name.StartsWith(Digest.Prefix, StringComparison.Ordinal) ? name[Digest.Prefix.Length..] : name;
        CheckName(name, hex.EndsWith(".json", StringComparison.Ordinal) ? hex[..^".json".Length] : hex, config);
    }

    private List<DockerEntry> ParseDockerManifest(ArchiveEntry manifest)
    {
        try
        {
            using JsonDocument document = OciJson.ParseArray(JsonOf("manifest.json", manifest, "ManifestInvalid"));
            return [.. document.RootElement.EnumerateArray().Select(e => new DockerEntry(
                e.ValueKind == JsonValueKind.Object ? OciJson.RequiredString(e, "Config") : throw new FormatException("an entry is not an object"),
                ReadStrings(e, "RepoTags", required: false),
                ReadStrings(e, "Layers", required: true)))];
        }
        catch (FormatException e)
        {
            throw content.Error("ManifestInvalid", "manifest.json", $"{e.Message}. Expected an array of objects with Config, RepoTags and Layers.", e);
        }
    }

    private void ReadIndex(string name, ArchiveEntry index, IReadOnlyList<string> tags, int depth, bool mayBeSparse)
    {
        if (depth > MaximumIndexDepth)
        {
            throw content.Error("ManifestInvalid", name, $"indexes are nested more than {MaximumIndexDepth} deep.");
        }

        List<Descriptor> entries = ParseIndex(name, index);
        _listed += entries.Count;
        if (_listed > MaximumListed)
        {
            throw content.Error("ManifestInvalid", name, $"the indexes list more than {MaximumListed:N0} manifests.");
        }

        foreach (Descriptor descriptor in entries.Where(d => !IsAttestation(d)))
        {
            string blob = BlobPrefix + descriptor.Digest.Hex;
            ArchiveEntry? found = content.Find(blob);
            if (found is null && mayBeSparse)
            {
                // containerd lists every platform of the original index but saves the blobs of the wanted ones only;
                // manifest.json then says what is there.
                continue;
            }

            Verify(descriptor, blob, found);
            IReadOnlyList<string> own = TagsOf(descriptor);
            if (MediaTypes.IsIndex(descriptor.MediaType))
            {
                ReadIndex(blob, found!, own.Count > 0 ? own : tags, depth + 1, mayBeSparse);
            }
            else if (MediaTypes.IsManifest(descriptor.MediaType))
            {
                ReadManifest(blob, found!, own.Count > 0 ? own : tags);
            }
        }
    }

    private List<Descriptor> ParseIndex(string name, ArchiveEntry index)
    {
        if (_indexes.TryGetValue(index.Digest, out List<Descriptor>? known))
        {
            return known;
        }

        try
        {
            using JsonDocument document = OciJson.ParseObject(JsonOf(name, index, "ManifestInvalid"));
            return _indexes[index.Digest] = OciJson.ReadDescriptors(document.RootElement, "manifests");
        }
        catch (FormatException e)
        {
            throw content.Error("ManifestInvalid", name, $"{e.Message}. Expected an OCI image index.", e);
        }
    }

    private void ReadManifest(string name, ArchiveEntry manifest, IReadOnlyList<string> tags)
    {
        if (!_manifests.TryGetValue(manifest.Digest, out Digest? image))
        {
            image = AddManifest(name, manifest);
            _manifests.Add(manifest.Digest, image);
        }

        if (image is { } id)
        {
            _tags[id].AddRange(tags);
        }
    }

    /// <summary>Adds the image of a manifest, unless it is known, and returns its config's digest; null when the manifest is no image's.</summary>
    private Digest? AddManifest(string name, ArchiveEntry manifest)
    {
        Descriptor config;
        List<Descriptor> layers;
        try
        {
            using JsonDocument document = OciJson.ParseObject(JsonOf(name, manifest, "ManifestInvalid"));
            config = document.RootElement.TryGetProperty("config", out JsonElement element)
                ? OciJson.ReadDescriptor(element, "'config'")
                : throw new FormatException("'config' is missing");
            layers = OciJson.ReadDescriptors(document.RootElement, "layers");
        }
        catch (FormatException e)
        {
            throw content.Error("ManifestInvalid", name, $"{e.Message}. Expected an image manifest.", e);
        }

        if (config.MediaType is not (MediaTypes.OciConfig or MediaTypes.DockerConfig))
        {
            // Signatures, charts and other artifacts travel as manifests too; they are no images.
            return null;
        }

        string configName = BlobPrefix + config.Digest.Hex;
        ArchiveEntry configEntry = content.Find(configName)
            ?? throw content.Error("ConfigMissing", configName, $"'{name}' names it as the config, but it is not in the tarball.");
        Verify(config, configName, configEntry);
        if (_tags.ContainsKey(config.Digest))
        {
            return config.Digest;
        }

        var found = new List<(string, ArchiveEntry)>();
        foreach (Descriptor layer in layers)
        {
            string layerName = BlobPrefix + layer.Digest.Hex;
            ArchiveEntry? entry = content.Find(layerName);
            Verify(layer, layerName, entry);
            found.Add((layerName, entry!));
        }

        AddImage(configName, configEntry, found, []);
        return config.Digest;
    }

    private void AddImage(string configName, ArchiveEntry configEntry, List<(string Name, ArchiveEntry Entry)> layers, IReadOnlyList<string> tags)
    {
        ImageConfig config;
        try
        {
            config = ImageConfig.Parse(JsonOf(configName, configEntry, "ConfigInvalid"));
        }
        catch (FormatException e)
        {
            throw content.Error("ConfigInvalid", configName, $"{e.Message}. Expected an image config with os, architecture and rootfs.diff_ids.", e);
        }

        if (config.DiffIds.Count != layers.Count)
        {
            throw content.Error("ManifestInvalid", configName, $"the config names {config.DiffIds.Count} layers (rootfs.diff_ids), the manifest {layers.Count}.");
        }

        _images.Add(new ResolvedImage(config, [.. layers.Select((l, i) => ResolveLayer(l.Name, l.Entry, config.DiffIds[i], i))], []));
        _tags.Add(config.Digest, [.. tags]);
    }

    private ImageLayer ResolveLayer(string name, ArchiveEntry entry, Digest diffId, int number)
    {
        StoredContent stored = entry.Stored ?? StoreJson(entry);
        if (stored.Blob.Digest == diffId)
        {
            return new ImageLayer(diffId, stored.Blob.Length, Compression.None, stored.Blob);
        }

        if (stored.Compression is Compression.Xz or Compression.Bzip2)
        {
            throw content.Error("LayerCompressionUnsupported", name, $"the layer is compressed with {stored.Compression.ToString().ToLowerInvariant()}; images can have layers that are plain tar, gzip or zstd.");
        }

        if (stored.DecodeFailure is { } failure)
        {
            throw content.Error("TarballCorrupt", name, $"the layer's {stored.Compression.ToString().ToLowerInvariant()} stream is damaged: {failure.Message}.", failure);
        }

        return stored.DiffId == diffId
            ? new ImageLayer(diffId, stored.UncompressedSize, stored.Compression, stored.Blob)
            : throw content.Error("DiffIdMismatch", name, $"layer {number + 1} has the diff ID {stored.DiffId}, but the config says {diffId}. The tarball is damaged or was tampered with.");
    }

    // A layer of a few bytes that begin like JSON. It is no tar that anyone could unpack, but the image says that it is one.
    private StoredContent StoreJson(ArchiveEntry entry) => lease.Put(entry.Json);

    private void Verify(Descriptor descriptor, string name, ArchiveEntry? entry)
    {
        if (entry is null)
        {
            throw content.Error("BlobMissing", name, "a descriptor names it, but it is not in the tarball.");
        }

        if (entry.Digest != descriptor.Digest || entry.Length != descriptor.Size)
        {
            throw content.Error("BlobDigestMismatch", name, $"it has {entry.Length:N0} bytes with digest {entry.Digest}, but its descriptor says {descriptor.Size:N0} bytes with {descriptor.Digest}.");
        }
    }

    private byte[] JsonOf(string name, ArchiveEntry entry, string errorId) => entry.Json
        ?? throw content.Error(errorId, name, $"it is not JSON, or larger than {ArchiveReader.MaximumJsonSize:N0} bytes.");

    private ArchiveEntry? Lookup(string name) => EntryName.Normalise(name) is { } normal ? content.Find(normal) : null;

    private static List<string> ReadStrings(JsonElement parent, string name, bool required)
    {
        if (!parent.TryGetProperty(name, out JsonElement list) || list.ValueKind == JsonValueKind.Null)
        {
            return required ? throw new FormatException($"'{name}' is missing") : [];
        }

        return list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String)
            ? [.. list.EnumerateArray().Select(e => e.GetString()!)]
            : throw new FormatException($"'{name}' is not a list of strings");
    }

    private static bool IsAttestation(Descriptor descriptor) =>
        descriptor.Platform is { Os: "unknown", Architecture: "unknown" }
        || (descriptor.Annotations?.ContainsKey("vnd.docker.reference.type") ?? false);

    private static IReadOnlyList<string> TagsOf(Descriptor descriptor)
    {
        if (descriptor.Annotations is { } annotations
            && (annotations.TryGetValue("io.containerd.image.name", out string? tag) || annotations.TryGetValue("org.opencontainers.image.ref.name", out tag)))
        {
            return [tag];
        }

        return [];
    }

    private sealed record DockerEntry(string Config, IReadOnlyList<string> Tags, IReadOnlyList<string> Layers);
}
