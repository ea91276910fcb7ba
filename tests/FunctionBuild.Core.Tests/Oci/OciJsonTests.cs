using System.Text;
using System.Text.Json;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tests.Oci;

public sealed class OciJsonTests
{
    private static readonly Digest Some = Digest.Of("some"u8);

    [Fact]
    public void A_manifest_is_compact_and_in_a_fixed_order()
    {
        var manifest = new ImageManifest(
            MediaTypes.OciManifest,
            new Descriptor(MediaTypes.OciConfig, Some, 4),
            [new Descriptor(MediaTypes.OciLayer + "+gzip", Some, 5) { Annotations = new Dictionary<string, string> { ["b"] = "<&'é", ["a"] = "1" } }]);

        Assert.Equal(
            $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":4,"digest":"{{{Some}}}"},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":5,"digest":"{{{Some}}}","annotations":{"a":"1","b":"<&'é"}}]}""",
            Encoding.UTF8.GetString(manifest.ToJson()));
    }

    [Fact]
    public void An_index_is_compact_and_in_a_fixed_order()
    {
        var index = new ImageIndex(
            MediaTypes.OciIndex,
            [
                new Descriptor(MediaTypes.DockerManifest, Some, 1) { Platform = new Platform("windows", "arm", "v7", "10.0") },
                new Descriptor(MediaTypes.DockerManifest, Some, 2) { Platform = new Platform("linux", "amd64") },
            ]);

        Assert.Equal(
            $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":1,"digest":"{{{Some}}}","platform":{"architecture":"arm","os":"windows","os.version":"10.0","variant":"v7"}},{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":2,"digest":"{{{Some}}}","platform":{"architecture":"amd64","os":"linux"}}]}""",
            Encoding.UTF8.GetString(index.ToJson()));
    }

    [Fact]
    public void A_descriptor_is_read_as_it_was_written()
    {
        var written = new Descriptor(MediaTypes.OciManifest, Some, 3)
        {
            Platform = new Platform("linux", "arm", "v7", "1"),
            Annotations = new Dictionary<string, string> { ["a"] = "1" },
        };
        using JsonDocument json = JsonDocument.Parse(new ImageIndex(MediaTypes.OciIndex, [written]).ToJson());

        Descriptor read = Assert.Single(OciJson.ReadDescriptors(json.RootElement, "manifests"));

        Assert.Equal(written with { Annotations = null }, read with { Annotations = null });
        Assert.Equal(written.Annotations, read.Annotations);
    }

    [Theory]
    [InlineData("{}", "'layers' is missing")]
    [InlineData("""{"layers":{}}""", "'layers' is missing")]
    [InlineData("""{"layers":[1]}""", "'layers[0]' is not a descriptor")]
    [InlineData("""{"layers":[{"size":1}]}""", "no digest")]
    [InlineData("""{"layers":[{"digest":"sha512:00","size":1}]}""", "sha512:00")]
    [InlineData("""{"layers":[{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}""", "no valid size")]
    [InlineData("""{"layers":[{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":-1}]}""", "no valid size")]
    [InlineData("""{"layers":[{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":1.5}]}""", "no valid size")]
    [InlineData("""{"layers":[{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":"1"}]}""", "no valid size")]
    public void A_malformed_descriptor_is_an_error_that_says_what(string text, string said)
    {
        using JsonDocument json = JsonDocument.Parse(text);
        Assert.Contains(said, Assert.Throws<FormatException>(() => OciJson.ReadDescriptors(json.RootElement, "layers")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_duplicated_key_is_an_error() =>
        Assert.Throws<FormatException>(() => OciJson.ParseObject("""{"a":{"b":1,"b":2}}"""u8.ToArray()));
}
