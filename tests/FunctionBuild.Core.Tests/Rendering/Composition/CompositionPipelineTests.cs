using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Composition;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class CompositionPipelineTests
{
    [Theory]
    [InlineData("5", "spec.pipeline", "a list of steps")]
    [InlineData("[5]", "spec.pipeline[0]", "an object")]
    [InlineData("""[{"functionRef": {"name": "f"}}]""", "spec.pipeline[0].step", "a text")]
    [InlineData("""[{"step": "a"}]""", "spec.pipeline[0].functionRef", "an object")]
    [InlineData("""[{"step": "a", "functionRef": {}}]""", "spec.pipeline[0].functionRef.name", "a text")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "input": "no"}]""", "spec.pipeline[0].input", "an object")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}}, {"step": "a", "functionRef": {"name": "f"}}]""", "spec.pipeline", "the name 'a'")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "credentials": {}}]""", "spec.pipeline[0].credentials", "a list")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "credentials": [{"name": "c", "source": "Secret", "secretRef": {}}]}]""", "spec.pipeline[0].credentials[0].secretRef.name", "a text")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "credentials": [{"name": "c", "source": "Secret"}]}]""", "spec.pipeline[0].credentials[0].secretRef", "an object")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "credentials": [{"name": "c", "source": "Vault"}]}]""", "spec.pipeline[0].credentials[0].source", "'None' or 'Secret'")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "requirements": {"requiredResources": [{"requirementName": "r", "apiVersion": "v1", "kind": "K", "name": 5}]}}]""", "spec.pipeline[0].requirements.requiredResources[0].name", "a text")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "requirements": {"requiredResources": [{"requirementName": "r", "apiVersion": "v1", "kind": "K", "matchLabels": {"a": true}}]}}]""", "spec.pipeline[0].requirements.requiredResources[0].matchLabels.a", "a text")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "requirements": {"requiredResources": [{"requirementName": "r", "kind": "K"}]}}]""", "spec.pipeline[0].requirements.requiredResources[0].apiVersion", "a text")]
    [InlineData("""[{"step": "a", "functionRef": {"name": "f"}, "requirements": {"requiredSchemas": [{"apiVersion": "v1", "kind": "K"}]}}]""", "spec.pipeline[0].requirements.requiredSchemas[0].requirementName", "a text")]
    public void What_is_wrong_with_it_is_said_with_the_field(string pipeline, string field, string problem)
    {
        RenderException error = Assert.Throws<RenderException>(() => CompositionPipeline.Read(RenderCase.CompositionOf(pipeline)));

        Assert.Equal("CompositionInvalid", error.ErrorId);
        Assert.Contains($"Composition 'buckets', field '{field}': ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_that_is_too_deep_is_said_with_the_field()
    {
        JsonObject composition = RenderCase.Composition();
        composition["spec"]!["pipeline"]![0]!["input"] = RenderCase.Deep();

        RenderException error = Assert.Throws<RenderException>(() => CompositionPipeline.Read(composition));

        Assert.Equal("CompositionInvalid", error.ErrorId);
        Assert.Contains("'spec.pipeline[0].input'", error.Message, StringComparison.Ordinal);
        Assert.Equal("ObjectTooDeep", Assert.IsType<FunctionBuildException>(error.InnerException).ErrorId);
    }

    [Theory]
    [InlineData("apiextensions.crossplane.io/v1", "CompositeResourceDefinition")]
    [InlineData("other.org/v1", "Composition")]
    [InlineData("apiextensions.crossplane.io/v2", "Composition")]
    [InlineData("", "Composition")]
    public void Something_else_is_refused(string apiVersion, string kind)
    {
        JsonObject composition = RenderCase.Composition();
        composition["apiVersion"] = apiVersion;
        composition["kind"] = kind;

        Assert.Equal("CompositionInvalid", Assert.Throws<RenderException>(() => CompositionPipeline.Read(composition)).ErrorId);
    }

    [Fact]
    public void Only_pipelines_can_be_rendered_and_a_pipeline_is_the_default()
    {
        JsonObject composition = RenderCase.Composition();
        composition["spec"]!["mode"] = "Resources";
        RenderException error = Assert.Throws<RenderException>(() => CompositionPipeline.Read(composition));
        ((JsonObject)composition["spec"]!).Remove("mode");

        Assert.Equal("CompositionModeUnsupported", error.ErrorId);
        Assert.Contains("'Resources'", error.Message, StringComparison.Ordinal);
        Assert.Single(CompositionPipeline.Read(composition).Steps);
    }

    [Theory]
    [InlineData("example.org/v2", "XBucket")]
    [InlineData("example.org/v1", "XOther")]
    public void A_composition_for_another_type_is_refused(string apiVersion, string kind)
    {
        JsonObject composition = RenderCase.Composition();
        composition["spec"]!["compositeTypeRef"] = new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind };

        RenderException error = Assert.Throws<RenderException>(() => CompositeRenderer.Check(RenderCase.Request with { Composition = composition }));

        Assert.Equal("CompositionMismatch", error.ErrorId);
        Assert.Contains($"{kind} of '{apiVersion}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("XBucket of 'example.org/v1'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"env": "prod"}""", true)]
    [InlineData("""{"env": "test"}""", false)]
    [InlineData("""{}""", false)]
    public void The_labels_that_the_composite_resource_selects_must_be_there(string labels, bool fits)
    {
        JsonObject composition = RenderCase.Composition();
        composition["metadata"]!["labels"] = JsonNode.Parse(labels);
        RenderRequest request = RenderCase.Request with
        {
            Composition = composition,
            CompositeResource = RenderCase.Composite(more: """, "spec": {"crossplane": {"compositionSelector": {"matchLabels": {"env": "prod"}}}} """),
        };

        if (fits)
        {
            CompositeRenderer.Check(request);
        }
        else
        {
            RenderException error = Assert.Throws<RenderException>(() => CompositeRenderer.Check(request));
            Assert.Equal("CompositionMismatch", error.ErrorId);
            Assert.Contains("'env'", error.Message, StringComparison.Ordinal);
        }
    }
}
