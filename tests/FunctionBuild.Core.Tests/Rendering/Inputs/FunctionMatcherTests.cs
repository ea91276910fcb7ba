using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Rendering.Inputs;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Rendering.Inputs;

public sealed class FunctionMatcherTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly List<string> _said = [];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ghcr.io/acme/platform_function-hello", "acme-platformfunction-hello")]
    [InlineData("registry.example.com:5000/Acme/a.b_c", "cme-a-bc")]
    [InlineData("localhost/a", "a")]
    [InlineData("acme/function-a", "acme-function-a")]
    [InlineData("function-a", "function-a")]
    [InlineData("ghcr.io/a/-b-", "a--b")]
    public void A_repositorys_label_is_its_path_without_what_no_label_has(string repository, string expected) =>
        Assert.Equal(expected, FunctionMatcher.LabelOf(repository));

    [Fact]
    public void A_label_is_no_longer_than_sixty_three() =>
        Assert.Equal(new string('a', 63), FunctionMatcher.LabelOf("ghcr.io/" + new string('a', 100)));

    [Theory]
    [InlineData("platform-function-a")]
    [InlineData("function-a")]
    [InlineData("acme-platformfunction-a")]
    public async Task An_image_is_found_by_each_of_its_names(string name)
    {
        FunctionImage image = await Build("function-a");

        FunctionStart start = Assert.Single(Match([image], null, ("one", name), ("two", name)));

        Assert.Equal(name, start.Name);
        Assert.Same(image, start.Image);
        Assert.Contains(_said, s => s.Contains("'one', 'two'", StringComparison.Ordinal) && s.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void What_listens_already_needs_no_description_unless_there_is_one_of_others()
    {
        FunctionStart start = Assert.Single(new FunctionMatcher([], [], _said.Add) { IsDevelopment = true }.Match([("one", "function-a")]));

        Assert.Equal("function-a", start.Name);
        Assert.Null(start.Image);
        Assert.Null(start.DevelopmentTarget);
        Assert.Contains(_said, s => s.Contains("listens already", StringComparison.Ordinal));
        Assert.Equal("FunctionNotFound", Assert.Throws<FunctionBuildException>(() => Match([], null, ("one", "function-a"))).ErrorId);
    }

    [Fact]
    public async Task The_image_wins_over_the_functions_file_which_still_tells_how_it_is_run()
    {
        FunctionImage image = await Build("function-a");
        const string File = """
            apiVersion: pkg.crossplane.io/v1
            kind: Function
            metadata:
              name: function-a
              annotations: {render.crossplane.io/runtime: Development, render.crossplane.io/runtime-docker-env: A=1}
            spec: {package: other}
            """;

        FunctionStart start = Assert.Single(Match([image], File, ("one", "function-a")));

        Assert.Same(image, start.Image);
        Assert.Null(start.DevelopmentTarget);
        Assert.Null(start.Reference);
        Assert.Equal("A", Assert.Single(start.Environment).Key);
    }

    [Fact]
    public async Task What_no_step_uses_is_not_started()
    {
        FunctionImage[] images = [await Build("function-a"), await Build("function-b")];

        Assert.Equal(["function-b"], Match(images, null, ("one", "function-b")).Select(s => s.Name));
        Assert.Contains(_said, s => s.StartsWith("function-a is not started", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_step_without_a_function_is_an_error_with_the_candidates()
    {
        const string File = "apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: function-other}\nspec: {package: other}\n";
        FunctionImage image = await Build("function-a");

        var error = Assert.Throws<FunctionBuildException>(() => Match([image], File, ("one", "function-none")));

        Assert.Equal("FunctionNotFound", error.ErrorId);
        Assert.Equal("function-none", error.TargetObject);
        foreach (string expected in (string[])["'one'", "'function-none'", "platform-function-a", "function-a", "acme-platformfunction-a", "function-other"])
        {
            Assert.Contains(expected, error.Message);
        }
    }

    [Fact]
    public async Task Two_images_of_a_name_are_an_error()
    {
        FunctionImage[] images = [await Build("function-a"), await Build("function-a", "ghcr.io/acme/staging")];

        var error = Assert.Throws<FunctionBuildException>(() => Match(images, null, ("one", "function-a")));

        Assert.Equal("AmbiguousFunction", error.ErrorId);
        Assert.Contains("ghcr.io/acme/staging_function-a", error.Message);
        Assert.Same(images[1], Assert.Single(Match(images, null, ("one", "staging-function-a"))).Image);
    }

    [Fact]
    public void A_function_of_the_file_needs_a_package_or_a_place()
    {
        const string File = "apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: function-a}\n";

        Assert.Equal("FunctionWithoutPackage", Assert.Throws<FunctionBuildException>(() => Match([], File, ("one", "function-a"))).ErrorId);
    }

    private IReadOnlyList<FunctionStart> Match(IReadOnlyList<FunctionImage> images, string? file, params (string, string)[] steps) =>
        new FunctionMatcher(images, file is null ? [] : FunctionManifest.Read(YamlReader.Read(file, "functions.yaml")), _said.Add).Match(steps);

    private async Task<FunctionImage> Build(string name, string repository = "ghcr.io/acme/platform")
    {
        FunctionMetadata metadata = MetadataWriter.Synthesise(new MetadataOptions { Name = FunctionNaming.PackageNameOf(repository, name) });
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage { Layers = [FixtureImage.Layer(name)] }], name, metadata);
        return await (group with { Repository = FunctionNaming.RepositoryOf(repository, name) }).Build();
    }
}
