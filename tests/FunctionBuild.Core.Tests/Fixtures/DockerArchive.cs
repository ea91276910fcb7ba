using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Docker archives in the shapes that the field's tools give them. Each method returns a tar that a test can go on with.</summary>
internal static class DockerArchive
{
    /// <summary>Nix: <c>&lt;hex&gt;/layer.tar</c>, no folders, config and manifest last.</summary>
    public static TarBuilder Nix(params FixtureImage[] images)
    {
        var tar = new TarBuilder();
        AddDistinct(tar, images.SelectMany(i => i.Layers), l => $"{Digest.Of(l).Hex}/layer.tar");
        AddConfigs(tar, images);
        return tar.File("manifest.json", Manifest(images, i => $"{i.ConfigDigest.Hex}.json", l => $"{Digest.Of(l).Hex}/layer.tar"));
    }

    /// <summary>Docker before 25: a folder for each layer; a layer that occurs again is a symbolic link.</summary>
    public static TarBuilder Legacy(FixtureImage image)
    {
        var tar = new TarBuilder();
        var places = new Dictionary<Digest, string>();
        var names = new List<string>();
        foreach (byte[] layer in image.Layers)
        {
            string id = Digest.Of(Encoding.UTF8.GetBytes($"{names.Count}")).Hex;
            names.Add($"{id}/layer.tar");
            tar.Directory($"{id}/").File($"{id}/VERSION", "1.0").File($"{id}/json", $$"""{"id":"{{id}}"}""");
            if (places.TryAdd(Digest.Of(layer), id))
            {
                tar.File($"{id}/layer.tar", layer);
            }
            else
            {
                tar.SymbolicLink($"{id}/layer.tar", $"../{places[Digest.Of(layer)]}/layer.tar");
            }
        }

        AddConfigs(tar, [image]);
        return tar.File("manifest.json", Manifest($"{image.ConfigDigest.Hex}.json", image.Tags, names)).File("repositories", "{}");
    }

    /// <summary>podman, skopeo, buildah: <c>&lt;hex&gt;.tar</c>, with links at the places where older Docker looks.</summary>
    public static TarBuilder Podman(params FixtureImage[] images)
    {
        var tar = new TarBuilder();
        AddDistinct(tar, images.SelectMany(i => i.Layers), l => $"{Digest.Of(l).Hex}.tar");
        foreach (byte[] layer in images.SelectMany(i => i.Layers).DistinctBy(l => Digest.Of(l)))
        {
            string id = Digest.Of(Encoding.UTF8.GetBytes(Digest.Of(layer).Hex)).Hex;
            tar.SymbolicLink($"{id}/layer.tar", $"../{Digest.Of(layer).Hex}.tar").File($"{id}/VERSION", "1.0").File($"{id}/json", "{}");
        }

        AddConfigs(tar, images);
        return tar.File("repositories", "{}").File("manifest.json", Manifest(images, i => $"{i.ConfigDigest.Hex}.json", l => $"{Digest.Of(l).Hex}.tar"));
    }

    /// <summary>ko (<c>sha256:&lt;hex&gt;.tar.gz</c>) and crane (<c>&lt;hex&gt;.tar.gz</c>): gzip-compressed layers, the config named by its digest.</summary>
    public static TarBuilder Ko(FixtureImage image, string prefix = Digest.Prefix)
    {
        var tar = new TarBuilder();
        string LayerName(byte[] layer) => $"{prefix}{Digest.Of(Compress.Gzip(layer)).Hex}.tar.gz";
        tar.File(image.ConfigDigest.ToString(), image.Config);
        foreach (byte[] layer in image.Layers.DistinctBy(l => Digest.Of(l)))
        {
            tar.File(LayerName(layer), Compress.Gzip(layer));
        }

        return tar.File("manifest.json", Manifest([image], i => i.ConfigDigest.ToString(), LayerName));
    }

    /// <summary>Docker 25 and later, and containerd: the layout's blobs named by <c>manifest.json</c> too.</summary>
    public static TarBuilder WithLayout(OciLayout layout, params FixtureImage[] images) =>
        layout.Build().File("manifest.json", Manifest(images, i => OciLayout.BlobName(i.ConfigDigest), l => OciLayout.BlobName(Digest.Of(layout.Encode(l)))));

    /// <summary>The JSON of a manifest with an entry for each image.</summary>
    public static string Manifest(IEnumerable<FixtureImage> images, Func<FixtureImage, string> config, Func<byte[], string> layer) =>
        new JsonArray([.. images.Select(i => Entry(config(i), i.Tags, i.Layers.Select(layer)))]).ToJsonString();

    /// <summary>The JSON of a manifest with one entry.</summary>
    public static string Manifest(string config, IEnumerable<string> tags, IEnumerable<string> layers) => new JsonArray(Entry(config, tags, layers)).ToJsonString();

    private static JsonObject Entry(string config, IEnumerable<string> tags, IEnumerable<string> layers) => new()
    {
        ["Config"] = config,
        ["RepoTags"] = Strings(tags),
        ["Layers"] = Strings(layers),
    };

    private static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(t => JsonValue.Create(t))]);

    private static void AddDistinct(TarBuilder tar, IEnumerable<byte[]> layers, Func<byte[], string> name)
    {
        foreach (byte[] layer in layers.DistinctBy(l => Digest.Of(l)))
        {
            tar.File(name(layer), layer);
        }
    }

    private static void AddConfigs(TarBuilder tar, IEnumerable<FixtureImage> images)
    {
        foreach (FixtureImage image in images.DistinctBy(i => i.ConfigDigest))
        {
            tar.File($"{image.ConfigDigest.Hex}.json", image.Config);
        }
    }
}
