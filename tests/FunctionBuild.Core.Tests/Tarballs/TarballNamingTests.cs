using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

public sealed class TarballNamingTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("function-hello-amd64.tar", "function-hello", "amd64")]
    [InlineData("build/function-hello-arm64.tar.gz", "function-hello", "arm64")]
    [InlineData("function-hello-arm64.TGZ", "function-hello", "arm64")]
    [InlineData("function-hello-s390x.tar.zst", "function-hello", "s390x")]
    [InlineData("function-hello-386.tar.xz", "function-hello", "386")]
    [InlineData("a.b-ppc64le.tar.bz2", "a.b", "ppc64le")]
    [InlineData("function-hello.tar", "function-hello", null)]
    [InlineData("function-hello-v2.tar", "function-hello-v2", null)]
    [InlineData("function-hello-amd64.img", "function-hello", "amd64")]
    [InlineData("function-hello-amd64", "function-hello", "amd64")]
    [InlineData("-amd64.tar", "-amd64", null)]
    [InlineData("amd64.tar", "amd64", null)]
    public void A_file_name_tells_the_function_and_perhaps_the_architecture(string file, string name, string? architecture) =>
        Assert.Equal((name, architecture), TarballNaming.Parse(file));

    [Fact]
    public void The_first_ending_that_exists_wins()
    {
        string prefix = _folder.Combine("function-hello");
        string[] endings = [".tar.bz2", ".tar.xz", ".tar.zst", ".tgz", ".tar.gz", ".tar"];
        foreach (string ending in endings)
        {
            string path = _folder.Write($"function-hello-arm64{ending}", [1]);

            Assert.Equal(path, TarballNaming.Find(prefix, "arm64"));
        }
    }

    [Fact]
    public void When_there_is_none_every_name_is_listed()
    {
        _folder.Write("function-hello-amd64.tar", [1]);
        string prefix = _folder.Combine("function-hello");

        FunctionBuildException error = Assert.Throws<FunctionBuildException>(() => TarballNaming.Find(prefix, "arm64"));

        Assert.Equal("TarballForArchitectureNotFound", error.ErrorId);
        Assert.All([".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2"], e => Assert.Contains($"'{prefix}-arm64{e}'", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_that_was_given_wins_over_file_and_tags()
    {
        byte[] tarball = DockerArchive.Nix(new FixtureImage { Tags = ["a:1"] }, new FixtureImage { Tags = ["b:1"], Layers = [] }).Build();

        Assert.Equal(["given", "given"], (await _folder.Import(tarball, "function.tar", new ImportOptions { Name = "given" })).Select(i => i.Name));
    }

    [Theory]
    [InlineData("a/./b", "a/b")]
    [InlineData("./a//b/", "a/b")]
    [InlineData("a b/..c", "a b/..c")]
    [InlineData("sha256:ab.tar.gz", "sha256:ab.tar.gz")]
    [InlineData(@"a\b", @"a\b")]
    [InlineData("", "")]
    [InlineData("..", null)]
    [InlineData("a/../b", null)]
    public void Entry_names_are_brought_into_one_form(string name, string? normal) => Assert.Equal(normal, EntryName.Normalise(name));

    [Theory]
    [InlineData("a/b/link", "../c/file", "a/c/file")]
    [InlineData("link", "./file", "file")]
    [InlineData("a/link", "..", "")]
    [InlineData("a/link", "../..", null)]
    [InlineData("a/link", "../../a/file", null)]
    [InlineData("link", "a/../b", "b")]
    public void Link_targets_are_resolved_from_the_links_folder(string link, string target, string? resolved) =>
        Assert.Equal(resolved, EntryName.Resolve(link, target));
}
