using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Tests.Packages;

public sealed class RepositoryNameTests
{
    [Theory]
    [InlineData("ghcr.io/acme/platform_function-a")]
    [InlineData("localhost:5000/a")]
    [InlineData("[::1]:5000/a/b")]
    [InlineData("acme/a")]
    [InlineData("a")]
    [InlineData("REGISTRY.example.com/a__b/c---d/e.f")]
    public void A_repository_that_can_be_published_to_passes(string repository) => RepositoryName.Check(repository);

    [Theory]
    [InlineData("")]
    [InlineData("ghcr.io/Acme/a")]
    [InlineData("ghcr.io/acme/a:v1")]
    [InlineData("ghcr.io/acme/a@sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("https://ghcr.io/acme/a")]
    [InlineData("ghcr.io//a")]
    [InlineData("ghcr.io/a/")]
    [InlineData("/a")]
    [InlineData("a/b___c")]
    [InlineData("a/-b")]
    [InlineData("a b")]
    [InlineData("a/b\n")]
    public void Anything_else_is_an_error_that_quotes_it(string repository)
    {
        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => RepositoryName.Check(repository));
        Assert.Equal("InvalidRepository", error.ErrorId);
        Assert.Contains($"'{repository}'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ghcr.io/acme/a:v1", "names the tag 'v1'")]
    [InlineData("ghcr.io/acme/a@sha256:00", "names the digest 'sha256:00'")]
    [InlineData("ghcr.io/acme/a:v1@sha256:00", "names the digest 'sha256:00'")]
    [InlineData("ghcr.io/Acme/a:v1", "'Acme' has upper-case letters")]
    [InlineData("user@ghcr.io/acme/a", "'user@ghcr.io'")]
    [InlineData("localhost:5000", "a host without a path")]
    [InlineData("https://ghcr.io:443/acme/a", "begins with a scheme")]
    public void What_is_wrong_is_told(string repository, string problem) =>
        Assert.Contains(problem, Assert.Throws<FunctionBuildException>(() => RepositoryName.Check(repository)).Message, StringComparison.Ordinal);

    [Fact]
    public void Two_hundred_and_fifty_five_characters_are_the_most()
    {
        RepositoryName.Check("a/" + new string('b', 253));
        Assert.Throws<FunctionBuildException>(() => RepositoryName.Check("a/" + new string('b', 254)));
    }
}
