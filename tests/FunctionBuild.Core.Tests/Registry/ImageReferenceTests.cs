using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Registry;

namespace FunctionBuild.Core.Tests.Registry;

public sealed class ImageReferenceTests
{
    private const string Sha = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    [Theory]
    [InlineData("ghcr.io/acme/a", "ghcr.io", "acme/a", null)]
    [InlineData("ghcr.io/acme/platform_function-a:v1.2", "ghcr.io", "acme/platform_function-a", "v1.2")]
    [InlineData("localhost/a", "localhost", "a", null)]
    [InlineData("localhost:5000/a/b/c/d:latest", "localhost:5000", "a/b/c/d", "latest")]
    [InlineData("[::1]:5000/a", "[::1]:5000", "a", null)]
    [InlineData("Registry/a", "Registry", "a", null)]
    [InlineData("a", "docker.io", "library/a", null)]
    [InlineData("a:5000", "docker.io", "library/a", "5000")]
    [InlineData("acme/a:_x", "docker.io", "acme/a", "_x")]
    [InlineData("docker.io/a", "docker.io", "library/a", null)]
    [InlineData("index.docker.io/acme/a", "docker.io", "acme/a", null)]
    public void A_reference_is_taken_apart(string text, string registry, string repository, string? tag)
    {
        ImageReference reference = ImageReference.Parse(text);
        Assert.Equal((registry, repository, tag), (reference.Registry, reference.Repository, reference.Tag));
        Assert.Null(reference.Digest);
        Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
    }

    [Theory]
    [InlineData("ghcr.io/acme/a@" + Sha, null)]
    [InlineData("ghcr.io/acme/a:v1@" + Sha, "v1")]
    public void A_digest_stands_after_the_tag(string text, string? tag)
    {
        ImageReference reference = ImageReference.Parse(text);
        Assert.Equal(tag, reference.Tag);
        Assert.Equal(Digest.Parse(Sha), reference.Digest);
        Assert.Equal(text, reference.ToString());
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData(":v1", "it is empty")]
    [InlineData("https://ghcr.io/acme/a", "a scheme")]
    [InlineData("ghcr.io/Acme/a", "'Acme' has upper-case letters")]
    [InlineData("ghcr.io//a", "a part of its path is empty")]
    [InlineData("ghcr.io/a/", "a part of its path is empty")]
    [InlineData("/a", "a part of its path is empty")]
    [InlineData("ghcr.io/a/-b", "'-b' is not made of")]
    [InlineData("ghcr.io/a b", "'a b' is not made of")]
    [InlineData("ghcr.io/a\n", "is not made of")]
    [InlineData("-ghcr.io/a", "'-ghcr.io' is not a host name")]
    [InlineData("ghcr..io/a", "'ghcr..io' is not a host name")]
    [InlineData("[1:2]/a", "'[1:2]' is not a host name")]
    [InlineData("[a.io]/a", "'[a.io]' is not a host name")]
    [InlineData("a1234567890123456789012345678901234567890123456789012345678901234.io/a", "is not a host name")]
    [InlineData("ghcr.io:/a", "'ghcr.io:' is not a host name")]
    [InlineData("ghcr.io:x/a", "'ghcr.io:x' is not a host name")]
    [InlineData("ghcr.io:0/a", "0 is not a port")]
    [InlineData("ghcr.io:65536/a", "65536 is not a port")]
    [InlineData("ghcr.io:99999999999999999999/a", "is not a port")]
    [InlineData("ghcr.io/a:", "its tag is empty")]
    [InlineData("ghcr.io/a:-v1", "its tag '-v1'")]
    [InlineData("ghcr.io/a:v 1", "its tag 'v 1'")]
    [InlineData("ghcr.io/a@", "'' is not a digest")]
    [InlineData("ghcr.io/a@sha256:00", "'sha256:00' is not a digest")]
    [InlineData("ghcr.io/a@sha512:2c26b46b68ffc68ff99b453c1d304134", "is not a digest")]
    [InlineData("ghcr.io/a:v1@" + Sha + ":v2", "is not a digest")]
    public void Each_way_of_being_wrong_is_told(string text, string problem)
    {
        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => ImageReference.Parse(text));
        Assert.Equal("InvalidReference", error.ErrorId);
        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tag_has_at_most_one_hundred_and_twenty_eight_characters()
    {
        ImageReference reference = ImageReference.Parse("ghcr.io/a");
        Assert.Equal(128, reference.WithTag(new string('x', 128)).Tag!.Length);
        Assert.Throws<FunctionBuildException>(() => reference.WithTag(new string('x', 129)));
    }

    [Fact]
    public void A_name_has_at_most_two_hundred_and_fifty_five_characters()
    {
        Assert.Equal(250, ImageReference.Parse("a.io/" + new string('b', 250)).Repository.Length);
        Assert.Throws<FunctionBuildException>(() => ImageReference.Parse("a.io/" + new string('b', 251)));
    }

    [Fact]
    public void Another_tag_takes_the_place_of_tag_and_digest() =>
        Assert.Equal("ghcr.io/a:v2", ImageReference.Parse($"ghcr.io/a:v1@{Sha}").WithTag("v2").ToString());
}
