using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Composition;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class CompositeDefinitionTests
{
    [Theory]
    [InlineData("v1", null, true)]
    [InlineData("v1", "LegacyCluster", true)]
    [InlineData("v1", "Cluster", false)]
    [InlineData("v1", "Namespaced", false)]
    [InlineData("v2", null, false)]
    [InlineData("v2", "Cluster", false)]
    [InlineData("v2", "Namespaced", false)]
    [InlineData("v2", "LegacyCluster", true)]
    public void Its_version_and_scope_tell_the_schema(string version, string? scope, bool isLegacy) =>
        Assert.Equal(isLegacy, CompositeDefinition.SelectSchema(RenderCase.Composite(), RenderCase.Definition(version, scope)) == CompositeSchema.Legacy);

    [Fact]
    public void Without_one_the_schema_is_Crossplane_2s() =>
        Assert.Equal(CompositeSchema.Modern, CompositeDefinition.SelectSchema(RenderCase.Composite(), null));

    [Fact]
    public void Another_version_of_the_resource_has_the_same_schema()
    {
        JsonObject composite = RenderCase.Composite();
        composite["apiVersion"] = "example.org/v1beta1";

        Assert.Equal(CompositeSchema.Legacy, CompositeDefinition.SelectSchema(composite, RenderCase.Definition()));
    }

    [Theory]
    [InlineData("XOther", "example.org")]
    [InlineData("XBucket", "other.org")]
    public void One_of_another_resource_is_refused(string kind, string group)
    {
        RenderException error = Assert.Throws<RenderException>(
            () => CompositeRenderer.Check(RenderCase.Request with { CompositeResourceDefinition = RenderCase.Definition(kind: kind, group: group) }));

        Assert.Equal("DefinitionMismatch", error.ErrorId);
        Assert.Contains($"{kind} of group '{group}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("XBucket of group 'example.org'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("apiextensions.crossplane.io/v3", "CompositeResourceDefinition")]
    [InlineData("apiextensions.crossplane.io/v1", "Composition")]
    public void What_is_no_definition_is_refused(string apiVersion, string kind)
    {
        JsonObject definition = RenderCase.Definition();
        definition["apiVersion"] = apiVersion;
        definition["kind"] = kind;

        RenderException error = Assert.Throws<RenderException>(() => CompositeRenderer.Check(RenderCase.Request with { CompositeResourceDefinition = definition }));

        Assert.Equal("DefinitionInvalid", error.ErrorId);
        Assert.Contains(apiVersion, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_fill_what_is_missing_and_only_that()
    {
        JsonObject composite = RenderCase.Composite(more: """
            , "spec": {
              "region": "us", "nothing": null, "nullable": null, "given": {"b": 1}, "list": [{}, {"size": 5}], "map": {"x": {}, "y": null}
            }
            """);
        JsonObject definition = RenderCase.Definition(schema: """
            {
              "properties": {
                "metadata": {"properties": {"labels": {"default": {"never": "set"}}}},
                "spec": {
                  "default": {"never": "set"},
                  "properties": {
                    "region": {"default": "eu"},
                    "nothing": {"default": "something"},
                    "nullable": {"default": "something", "nullable": true},
                    "absent": {"properties": {"inner": {"default": 1}}},
                    "made": {"default": {}, "properties": {"inner": {"default": 1}}},
                    "given": {"properties": {"a": {"default": true}, "b": {"default": 9}}},
                    "list": {"items": {"properties": {"size": {"default": 3}}}},
                    "map": {"additionalProperties": {"default": {}, "properties": {"z": {"default": "zed"}}}}
                  }
                },
                "status": {"properties": {"phase": {"default": "New"}}}
              }
            }
            """);

        CompositeDefinition.ApplyDefaults(composite, definition, CompositeSchema.Modern);

        RenderCase.AssertJson(
            """
            {
              "region": "us", "nothing": "something", "nullable": null, "made": {"inner": 1}, "given": {"a": true, "b": 1},
              "list": [{"size": 3}, {"size": 5}], "map": {"x": {"z": "zed"}, "y": {"z": "zed"}}
            }
            """,
            composite["spec"]);
        Assert.Null(composite["status"]);
        Assert.Null(composite["metadata"]!["labels"]);
    }

    [Fact]
    public async Task Functions_see_defaults_and_the_definitions_update_policy()
    {
        JsonObject definition = RenderCase.Definition(schema: """{"properties": {"spec": {"properties": {"tier": {"default": "gold"}}}}}""");
        definition["spec"]!["defaultCompositionUpdatePolicy"] = "Manual";
        var caller = ScriptedCaller.With((_, _) => { });

        await (RenderCase.Request with { CompositeResource = RenderCase.Composite(more: """, "spec": {} """), CompositeResourceDefinition = definition }).RenderAsync(caller);

        var spec = caller.Calls[0].Request.Observed.Composite.Resource_.Fields["spec"].StructValue;
        Assert.Equal("gold", spec.Fields["tier"].StringValue);
        Assert.Equal("Manual", spec.Fields["compositionUpdatePolicy"].StringValue);
    }

    [Fact]
    public void A_version_that_the_definition_does_not_have_is_refused()
    {
        JsonObject composite = RenderCase.Composite();
        composite["apiVersion"] = "example.org/v7";

        RenderException error = Assert.Throws<RenderException>(
            () => CompositeRenderer.Check(RenderCase.Request with { CompositeResource = composite, CompositeResourceDefinition = RenderCase.Definition() }));

        Assert.Equal("DefinitionMismatch", error.ErrorId);
        Assert.Contains("'v7'", error.Message, StringComparison.Ordinal);
        Assert.Contains("it has: v1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_default_of_null_is_none()
    {
        JsonObject composite = RenderCase.Composite(more: """, "spec": {"given": null, "list": [null], "map": {"x": null}} """);
        JsonObject definition = RenderCase.Definition(schema: """
            {"properties": {"spec": {"properties": {
              "absent": {"default": null, "nullable": true}, "given": {"default": null},
              "list": {"items": {"default": null}}, "map": {"additionalProperties": {"default": null}}
            }}}}
            """);

        CompositeDefinition.ApplyDefaults(composite, definition, CompositeSchema.Modern);

        RenderCase.AssertJson("""{"given": null, "list": [null], "map": {"x": null}}""", composite["spec"]);
    }

    [Fact]
    public void Defaults_are_those_of_the_resources_version()
    {
        JsonObject composite = RenderCase.Composite(more: """, "spec": {} """);
        JsonObject definition = RenderCase.Definition(schema: """{"properties": {"spec": {"properties": {"tier": {"default": "gold"}}}}}""");
        definition["spec"]!["versions"]!.AsArray().Insert(
            0,
            RenderCase.Json("""{"name": "v2", "schema": {"openAPIV3Schema": {"properties": {"spec": {"properties": {"tier": {"default": "lead"}, "more": {"default": 1}}}}}}}"""));

        CompositeDefinition.ApplyDefaults(composite, definition, CompositeSchema.Modern);

        RenderCase.AssertJson("""{"tier": "gold"}""", composite["spec"]);
    }

    [Theory]
    [InlineData("""{"crossplane": {}}""", """{"crossplane": {"compositionUpdatePolicy": "Manual"}}""")]
    [InlineData("""{"crossplane": {"compositionUpdatePolicy": "Automatic"}}""", """{"crossplane": {"compositionUpdatePolicy": "Automatic"}}""")]
    [InlineData("{}", "{}")]
    public void The_update_policy_is_a_default_where_Crossplanes_fields_are(string spec, string expected)
    {
        JsonObject composite = RenderCase.Composite(more: $", \"spec\": {spec}");
        JsonObject definition = RenderCase.Definition("v2");
        definition["spec"]!["defaultCompositionUpdatePolicy"] = "Manual";

        CompositeDefinition.ApplyDefaults(composite, definition, CompositeSchema.Modern);

        RenderCase.AssertJson(expected, composite["spec"]);
    }

    [Theory]
    [InlineData("v2", "Cluster", """{"crossplane": {}, "other": {}}""", """{"crossplane": {}, "other": {}, "own": 1, "compositionRef": {"name": "theirs"}}""")]
    [InlineData("v1", null, """{"crossplane": {}, "writeConnectionSecretToRef": {}}""", """{"crossplane": {"made": true}, "writeConnectionSecretToRef": {}, "own": 1}""")]
    public void What_a_definition_says_of_Crossplanes_own_fields_or_of_fields_that_it_does_not_name_is_no_default(string version, string? scope, string spec, string expected)
    {
        JsonObject composite = RenderCase.Composite(more: $$""", "spec": {{spec}}, "status": {"conditions": [null]} """);
        JsonObject definition = RenderCase.Definition(version, scope, schema: """
            {
              "properties": {
                "spec": {
                  "additionalProperties": {"properties": {"never": {"default": "set"}}},
                  "properties": {
                    "own": {"default": 1},
                    "crossplane": {"properties": {"made": {"default": true}}},
                    "compositionRef": {"default": {"name": "theirs"}},
                    "writeConnectionSecretToRef": {"properties": {"name": {"default": "theirs"}}}
                  }
                },
                "status": {"properties": {"phase": {"default": "New"}, "conditions": {"items": {"default": {}}}}}
              }
            }
            """);

        CompositeDefinition.ApplyDefaults(composite, definition, CompositeDefinition.SelectSchema(composite, definition));

        RenderCase.AssertJson(expected, composite["spec"]);
        RenderCase.AssertJson("""{"conditions": [null], "phase": "New"}""", composite["status"]);
    }
}
