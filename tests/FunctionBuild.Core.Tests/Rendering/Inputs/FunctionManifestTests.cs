using FunctionBuild.Core.Rendering.Inputs;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Tests.Rendering.Inputs;

public sealed class FunctionManifestTests
{
    [Fact]
    public void A_function_without_annotations_is_its_package()
    {
        FunctionStart start = Read().Start;

        Assert.Equal(("function-a", "ghcr.io/acme/function-a:v1"), (start.Name, start.Reference));
        Assert.Equal((PullPolicy.IfNotPresent, ContainerCleanup.Remove), (start.PullPolicy, start.Cleanup));
        Assert.Null(start.DevelopmentTarget);
        Assert.Null(start.ContainerName);
        Assert.Empty(start.Environment);
    }

    [Fact]
    public void Annotations_tell_how_it_is_run()
    {
        FunctionStart start = Read(
            "runtime: Docker",
            "runtime-docker-image: ghcr.io/acme/other:v2",
            "runtime-docker-pull-policy: Never",
            "runtime-docker-cleanup: Orphan",
            "runtime-docker-name: mine",
            "runtime-docker-env: A=1,B=x=y",
            "runtime-docker-publish-address: 0.0.0.0",
            "runtime-docker-target: build.example.com",
            "runtime-docker-network: jobs").Start;

        Assert.Equal("ghcr.io/acme/other:v2", start.Reference);
        Assert.Equal(PullPolicy.Never, start.PullPolicy);
        Assert.Equal(ContainerCleanup.Orphan, start.Cleanup);
        Assert.Equal("mine", start.ContainerName);
        Assert.Null(start.DevelopmentTarget);
        Assert.Equal([new("A", "1"), new("B", "x=y")], start.Environment);
        Assert.Equal(("0.0.0.0", "build.example.com", "jobs"), (start.PublishAddress, start.ContainerHost, start.ContainerNetwork));
    }

    [Theory]
    [InlineData("localhost:9443")]
    [InlineData("dns:///example.com:7443", "runtime-development-target: dns:///example.com:7443")]
    public void A_function_in_development_listens_already(string expected, params string[] annotations) =>
        Assert.Equal(expected, Read([.. annotations, "runtime: Development"]).Start.DevelopmentTarget);

    [Theory]
    [InlineData("Always", "Stop")]
    [InlineData("IfNotPresent", "Remove")]
    [InlineData("Never", "Orphan")]
    public void Policies_have_the_references_words(string pull, string cleanup)
    {
        FunctionStart start = Read($"runtime-docker-pull-policy: {pull}", $"runtime-docker-cleanup: {cleanup}").Start;

        Assert.Equal((pull, cleanup), ($"{start.PullPolicy}", $"{start.Cleanup}"));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1beta1")]
    public void Functions_of_both_versions_are_read(string version) =>
        Assert.Equal("function-a", Assert.Single(FunctionManifest.Read(YamlReader.Read($"apiVersion: pkg.crossplane.io/{version}\nkind: Function\nmetadata: {{name: function-a}}\nspec: {{package: a}}\n", "functions.yaml"))).Start.Name);

    [Theory]
    [InlineData("runtime: Podman", "Development")]
    [InlineData("runtime-docker-pull-policy: never", "IfNotPresent")]
    [InlineData("runtime-docker-cleanup: 1", "a text in quotes")]
    [InlineData("runtime-docker-cleanup: '1'", "Orphan")]
    [InlineData("runtime-docker-env: A", "name=value")]
    [InlineData("runtime-docker-publish-address: localhost", "an IP address")]
    public void An_annotation_that_means_nothing_is_an_error(string annotation, string expected)
    {
        var error = Assert.Throws<FunctionBuildException>(() => Read(annotation));

        Assert.Equal("InvalidFunctionAnnotation", error.ErrorId);
        Assert.Contains(expected, error.Message);
        Assert.Contains("functions.yaml, document 1", error.Message);
    }

    [Fact]
    public void Annotations_without_effect_are_known() =>
        Assert.Equal(["render.crossplane.io/runtime-docker-memory"], Read("runtime-docker-memory: 1Gi", "runtime: Docker").UnusedAnnotations);

    [Theory]
    [InlineData("apiVersion: pkg.crossplane.io/v1\nkind: Provider\nmetadata: {name: a}\n", "NotAFunction")]
    [InlineData("apiVersion: pkg.crossplane.io/v1\nkind: Function\n", "NotAFunction")]
    [InlineData("apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: a}\n---\napiVersion: pkg.crossplane.io/v1beta1\nkind: Function\nmetadata: {name: a}\n", "DuplicateFunction")]
    public void What_is_no_function_or_one_twice_is_an_error(string text, string errorId) =>
        Assert.Equal(errorId, Assert.Throws<FunctionBuildException>(() => FunctionManifest.Read(YamlReader.Read(text, "functions.yaml"))).ErrorId);

    private static FunctionManifest Read(params string[] annotations) => Assert.Single(FunctionManifest.Read(YamlReader.Read(
        $"""
        apiVersion: pkg.crossplane.io/v1
        kind: Function
        metadata:
          name: function-a
          annotations:
            example.com/other: ignored
        {string.Concat(annotations.Select(a => $"    render.crossplane.io/{a}\n"))}
        spec:
          package: ghcr.io/acme/function-a:v1
        """,
        "functions.yaml")));
}
