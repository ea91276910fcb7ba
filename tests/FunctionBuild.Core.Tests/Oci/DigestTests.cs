using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tests.Oci;

public sealed class DigestTests
{
    private const string Empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void The_digest_of_nothing_is_the_known_one()
    {
        var digest = Digest.Of([]);

        Assert.Equal(Empty, digest.ToString());
        Assert.Equal(Empty[7..], digest.Hex);
        Assert.Equal("e3b0c44298fc", digest.ShortHex);
        Assert.Equal(digest, Digest.Parse(Empty));
        Assert.Equal(digest.GetHashCode(), Digest.Parse(Empty).GetHashCode());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:e3b0")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8551")]
    public void Anything_else_is_no_digest(string? text)
    {
        Assert.False(Digest.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Digest.Parse(text!));
    }

    [Fact]
    public void Digests_are_ordered_by_their_text()
    {
        Digest[] digests = [.. Enumerable.Range(0, 50).Select(i => Digest.Of([(byte)i]))];

        Assert.Equal(digests.Select(d => d.ToString()).Order(StringComparer.Ordinal), digests.Order().Select(d => d.ToString()));
        Assert.True(digests.Min() < digests.Max());
        Assert.True(digests.Max() >= digests.Min());
    }

    [Fact]
    public void A_digest_that_was_never_set_cannot_be_used()
    {
        Digest unset = default;

        Assert.Equal(string.Empty, unset.ToString());
        Assert.NotEqual(Digest.Of([]), unset);
        Assert.Throws<InvalidOperationException>(() => unset.Hex);
    }
}
