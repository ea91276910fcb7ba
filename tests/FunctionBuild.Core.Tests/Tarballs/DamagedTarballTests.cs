using CsCheck;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>
/// Whatever happens to the bytes of a tarball, its import gives the image that was saved or an error of ours, and an
/// error leaves nothing behind.
/// </summary>
public sealed class DamagedTarballTests : IDisposable
{
    // Configs and layers are named by their digests; a tag is not protected by anything in a plain tarball, so there is none.
    private static readonly FixtureImage Image = new() { Layers = [FixtureImage.Layer("small", 40)] };

    private const int Steps = 250;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("gzip, 3 members", false)]
    [InlineData("gzip, zero padding", false)]
    [InlineData("zstd", true)]
    [InlineData("zstd, 3 frames", false)]
    [InlineData("xz, CRC-64", true)]
    [InlineData("xz, 3 blocks", true)]
    [InlineData("bzip2", true)]
    [InlineData("bzip2, 3 streams", false)]
    public void A_compressed_tarball_cut_anywhere_is_an_error(string codec, bool always)
    {
        byte[] whole = Codec.Encode(codec, DockerArchive.Nix(Image).Build());
        int step = (whole.Length / Steps) + 1;
        for (int length = 0; length < whole.Length; length += step)
        {
            bool imported = ImportsOrFails(whole[..length], $"cut after {length} of {whole.Length}");

            Assert.False(imported && always, $"It was imported although cut after {length} of {whole.Length} bytes.");
        }
    }

    [Theory]
    [InlineData("Nix")]
    [InlineData("OCI")]
    public void A_plain_tarball_cut_anywhere_is_an_error(string shape)
    {
        byte[] whole = Shape(shape);
        for (int length = 0; length < whole.Length - TarHeader.BlockSize; length += 13)
        {
            Assert.False(ImportsOrFails(whole[..length], $"cut after {length} of {whole.Length}"), $"It was imported although cut after {length} of {whole.Length} bytes.");
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("xz, CRC-64")]
    [InlineData("xz, no check")]
    [InlineData("bzip2")]
    public void A_damaged_byte_of_a_compressed_tarball_is_an_error_or_changes_nothing(string codec)
    {
        byte[] whole = Codec.Encode(codec, DockerArchive.Nix(Image).Build());
        int step = (whole.Length / Steps) + 1;
        for (int position = 0; position < whole.Length; position += step)
        {
            byte[] damaged = [.. whole];
            damaged[position] ^= (byte)(1 << (position / step % 8));
            ImportsOrFails(damaged, $"byte {position} of {whole.Length}");
        }
    }

    [Theory]
    [InlineData("Nix")]
    [InlineData("OCI")]
    public void A_damaged_byte_of_a_plain_tarball_is_an_error_or_changes_nothing(string shape)
    {
        byte[] whole = Shape(shape);
        for (int position = 0; position < whole.Length; position += 3)
        {
            byte[] damaged = [.. whole];
            damaged[position] ^= (byte)(1 << (position % 8));
            ImportsOrFails(damaged, $"byte {position} of {whole.Length}");
        }
    }

    [Theory]
    [InlineData("Nix")]
    [InlineData("OCI")]
    public void Blocks_moved_repeated_removed_or_overwritten_are_an_error_or_change_nothing(string shape)
    {
        byte[] whole = Shape(shape);
        int blocks = whole.Length / TarHeader.BlockSize;
        Gen<(int Kind, int From, int To, byte[] Bytes, int Offset)> mutations =
            Gen.Select(Gen.Int[0, 4], Gen.Int[0, blocks - 1], Gen.Int[0, blocks - 1], Gen.Byte.Array[1, 12], Gen.Int[0, TarHeader.BlockSize - 12]);

        mutations.Array[1, 4].Sample(
            changes =>
            {
                ImportsOrFails(changes.Aggregate(whole, Change), "mutated");
            },
            iter: 1500,
            threads: 1);
    }

    /// <summary>Changes a tarball; a change within a block keeps its checksum right when it is a header, so that the change is read.</summary>
    private static byte[] Change(byte[] tar, (int Kind, int From, int To, byte[] Bytes, int Offset) change)
    {
        byte[][] blocks = [.. tar.Chunk(TarHeader.BlockSize)];
        if (blocks.Length == 0)
        {
            return tar;
        }

        int from = change.From % blocks.Length;
        int to = change.To % blocks.Length;
        switch (change.Kind)
        {
            case 0:
                return [.. blocks.Where((_, i) => i != from).SelectMany(b => b)];
            case 1:
                (blocks[from], blocks[to]) = (blocks[to], blocks[from]);
                return [.. blocks.SelectMany(b => b)];
            case 2:
                return [.. blocks.Take(to).Append(blocks[from]).Concat(blocks.Skip(to)).SelectMany(b => b)];
            default:
                byte[] block = blocks[from];
                change.Bytes.CopyTo(block, Math.Min(change.Offset, block.Length - change.Bytes.Length));
                if (change.Kind == 3)
                {
                    block.AsSpan(148, 8).Fill((byte)' ');
                    System.Text.Encoding.ASCII.GetBytes(Convert.ToString(block.Sum(b => (int)b), 8).PadLeft(6, '0')).CopyTo(block, 148);
                }

                return [.. blocks.SelectMany(b => b)];
        }
    }

    private static byte[] Shape(string name)
    {
        var layout = new OciLayout();
        layout.Root(layout.Image(Image));
        return name == "OCI" ? layout.Build().Build() : DockerArchive.Nix(Image).Build();
    }

    /// <summary>True when the very image was imported, false on an error of ours; any other outcome fails the test.</summary>
    private bool ImportsOrFails(byte[] tarball, string what)
    {
        using var input = new MeteredStream(tarball);
        string[] before = TarballAssert.Files(_folder.Workspace);
        try
        {
            RuntimeImage image = Assert.Single(TarballImporter.Import(_folder.Workspace, _folder.Combine("function.tar"), input, new ImportOptions { MaximumExpandedSize = 100_000 }, TestContext.Current.CancellationToken));
            Assert.Equal((Image.ConfigDigest, Image.DiffIds[0]), (image.Config.Digest, Assert.Single(image.Layers).DiffId));
            return true;
        }
        catch (FunctionBuildException)
        {
            Assert.Equal(before, TarballAssert.Files(_folder.Workspace));
            return false;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what}: {e.GetType().Name}: {e.Message}", e);
        }
    }
}
