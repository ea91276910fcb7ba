using System.Text;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Packages;

/// <summary>
/// Known answers: digests that were computed on one machine and must be the same on every other. They fail where the
/// runtime's zlib is not the one that .NET is published with.
/// </summary>
public sealed class ReproducibilityTests : IDisposable
{
    private static readonly byte[] Shared = [.. Text(400_000), .. Noise(300_000)];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(8, false)]
    [InlineData(1, true)]
    [InlineData(8, true)]
    public async Task The_same_input_gives_the_same_digest_in_any_workspace_at_any_concurrency(int throttleLimit, bool gzipped)
    {
        FunctionGroup group = await _folder.ImportGroup(
            throttleLimit == 1 ? [Image("amd64"), Image("arm64")] : [Image("arm64"), Image("amd64")],
            metadata: new FunctionMetadata { Name = "function-a", ApiVersion = "meta.pkg.crossplane.io/v1", Yaml = "---\nkind: Function\n---\n" },
            tarball: i => gzipped ? Compress.Gzip(DockerArchive.Nix(i).Build(), members: 3) : DockerArchive.Podman(i).Build());
        var options = new BuildOptions { ThrottleLimit = throttleLimit };
        await FunctionImageBuilder.CompressLayersAsync([group], options, null, TestContext.Current.CancellationToken);

        FunctionImage function = await group.Build(options);

        Assert.Equal("sha256:aa96a2c8314490c25d07f5875e06f3e9a6c5f6ceb474d90c95931250cfe1997c", function.Digest.ToString());
    }

    [Theory]
    [InlineData(Compression.Gzip, 0, "d4e9c4f8f8c7df781ebff469696f2db6a5a35f33257e173721a9cc7a0ca69208")]
    [InlineData(Compression.Gzip, 1, "56750ca5db9118b910c650ad4d72702f2f1dd4ef8c3b32ccceea2fb6181c4ec6")]
    [InlineData(Compression.Gzip, 6, "7f1be22125afbd25cb1651ec22049af1129aa7296984e93ac17ab6da1316f90c")]
    [InlineData(Compression.Gzip, 9, "bf94ca9446b29df4bf40fba302ff7a27e5653d896735d3a32b6f6853717fa79e")]
    [InlineData(Compression.Zstd, 3, "ae6efb9d0cb02ebf1a18111e54a58a2c3bbd3e65463c0a8504ae6638815854af")]
    public async Task A_layer_is_compressed_to_the_same_bytes_on_every_machine(Compression compression, int level, string expected)
    {
        FunctionGroup group = await _folder.ImportGroup([Image("amd64")]);

        FunctionImage function = await group.Build(new BuildOptions { Compression = compression, CompressionLevel = level, MediaType = ManifestKind.Oci });

        Assert.Equal(expected, function.Images[0].Layers[0].Descriptor.Digest.Hex);
    }

    [Fact]
    public async Task A_gzip_header_tells_neither_time_nor_system()
    {
        FunctionImage function = await _folder.BuildTwoPlatforms();

        byte[] head = new byte[10];
        using Stream layer = function.Images[0].Layers[0].Blob.OpenRead();
        layer.ReadExactly(head);

        Assert.Equal([0x1F, 0x8B, 8, 0, 0, 0, 0, 0], head[..8]);
        Assert.Equal(255, head[9]);
    }

    // Written out, so that no change of the fixtures changes a known answer.
    private static FixtureImage Image(string architecture)
    {
        byte[] own = Encoding.ASCII.GetBytes($"only on {architecture}");
        return new FixtureImage
        {
            Architecture = architecture,
            Layers = [Shared, own],
            Config = Encoding.ASCII.GetBytes($$$"""{"architecture":"{{{architecture}}}","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{Digest.Of(Shared)}}}","{{{Digest.Of(own)}}}"]}}"""),
        };
    }

    private static byte[] Text(int length)
    {
        const string words = "function pipeline composite resource observed desired\n";
        IEnumerable<char> text = Random().SelectMany(r => words.Skip((int)(r >> 28)).Take((int)((r >> 9) % 20) + 2));
        return Encoding.ASCII.GetBytes([.. text.Take(length)]);
    }

    private static byte[] Noise(int length) => [.. Random().Take(length).Select(r => (byte)(r >> 23))];

    private static IEnumerable<uint> Random()
    {
        for (uint state = 12345; ;)
        {
            state = (state * 1_664_525) + 1_013_904_223;
            yield return state;
        }
    }
}
