using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace PackImage;

/// <summary>Writes an image as <c>docker save | gzip</c> would, with the manifest last as Nix has it.</summary>
internal static class DockerArchive
{
    private const string Created = "1970-01-01T00:00:00Z";

    // The runtime else leaves a socket for debuggers in /tmp, which may be read-only.
    private static readonly string[] Environment = ["DOTNET_EnableDiagnostics=0"];

    public static void Write(string path, PublishedProgram program, IReadOnlyList<ImageLayer> layers, string tag)
    {
        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture = program.Architecture,
            os = "linux",
            created = Created,
            config = new
            {
                User = $"{ImageLayers.UserId}:{ImageLayers.UserId}",
                WorkingDir = $"/{ImageLayers.ProgramFolder}",
                Entrypoint = new[] { $"/{ImageLayers.ProgramFolder}/{program.Name}" },
                Env = Environment,
                ExposedPorts = new Dictionary<string, object> { ["9443/tcp"] = new { } },
            },
            rootfs = new { type = "layers", diff_ids = layers.Select(layer => $"sha256:{layer.Digest}") },
            history = layers.Select(layer => new { created = Created, created_by = $"pack-image: {layer.Name}" }),
        });
        var configName = $"{Convert.ToHexStringLower(SHA256.HashData(config))}.json";
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new[]
        {
            new { Config = configName, RepoTags = new[] { tag }, Layers = layers.Select(NameOf) },
        });

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var unfinished = path + ".tmp";
        using (var file = File.Create(unfinished))
        using (var gzip = new GZipStream(file, CompressionLevel.Optimal))
        using (var archive = new TarWriter(gzip, TarEntryFormat.Ustar))
        {
            foreach (var layer in layers)
            {
                Add(archive, NameOf(layer), layer.Tar);
            }
            Add(archive, configName, config);
            Add(archive, "manifest.json", manifest);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    private static string NameOf(ImageLayer layer) => $"{layer.Digest}/layer.tar";

    private static void Add(TarWriter archive, string name, byte[] content)
    {
        using var stream = new MemoryStream(content, writable: false);
        archive.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
        {
            DataStream = stream,
            Mode = ImageFile.Readable,
            ModificationTime = DateTimeOffset.UnixEpoch,
        });
    }
}
