using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Tests.Fixtures;

/// <summary>Files that the commands are given.</summary>
internal static class Tarballs
{
    /// <summary>Writes a gzipped tarball of a function, two layers, as Nix makes it; its path.</summary>
    public static string Write(TestFolder folder, string name, string architecture = "amd64", string ending = ".tar.gz")
    {
        byte[] tar = DockerArchive.Nix(new FixtureImage
        {
            Architecture = architecture,
            Layers = [FixtureImage.Layer("base"), FixtureImage.Layer($"{name}-{architecture}")],
        }).Build();
        return folder.Write($"{name}-{architecture}{ending}", ending == ".tar" ? tar : Compress.Gzip(tar));
    }

    /// <summary>
    /// Writes a small file that takes long to read: an image whose one layer is a row of zeros, 64 MiB for each piece. Its
    /// config gives another digest.
    /// </summary>
    public static string WriteHuge(TestFolder folder, string name, int pieces = 200)
    {
        const int Piece = 64 * 1024 * 1024;
        long size = (long)Piece * pieces;
        byte[] zeros = Compress.Gzip(new byte[Piece]);
        byte[] header = Compress.Gzip(new TarHeader("layer.tar") { Size = size, SizeField = SizeField(size) }.ToBlock());
        string path = folder.Combine(name);
        using FileStream file = File.Create(path);
        file.Write(header);
        for (int i = 0; i < pieces; i++)
        {
            file.Write(zeros);
        }

        var config = new JsonObject { ["os"] = "linux", ["architecture"] = "amd64", ["rootfs"] = new JsonObject { ["diff_ids"] = new JsonArray(Digest.Of([]).ToString()) } };
        TarBuilder rest = new TarBuilder()
            .File("config.json", config.ToJsonString())
            .File("manifest.json", DockerArchive.Manifest("config.json", [], ["layer.tar"]));
        file.Write(Compress.Gzip(rest.Build()));
        return path;
    }

    // More than eleven octal digits hold: GNU's binary form.
    private static byte[] SizeField(long size)
    {
        byte[] field = new byte[12];
        field[0] = 0x80;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(field.AsSpan(4), size);
        return field;
    }
}
