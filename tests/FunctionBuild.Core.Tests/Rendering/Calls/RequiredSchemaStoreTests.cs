using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

public sealed class RequiredSchemaStoreTests
{
    private const string Apps = """
        {"openapi":"3.0.0","components":{"schemas":{
          "meta.DeleteOptions":{"type":"object","x-kubernetes-group-version-kind":[{"group":"apps","kind":"DeleteOptions","version":"v1"},{"group":"","kind":"DeleteOptions","version":"v1"}]},
          "apps.Ship":{"type":"object","properties":{
              "metadata":{"description":"wrapped","default":{},"allOf":[{"$ref":"#/components/schemas/meta.ObjectMeta"}]},
              "spec":{"$ref":"#/components/schemas/apps.ShipSpec","description":"goes"},
              "size":{"type":"integer","minimum":1}},
            "x-kubernetes-group-version-kind":[{"group":"apps","kind":"Ship","version":"v1"}]},
          "apps.ShipSpec":{"type":"object","properties":{
              "masts":{"type":"array","items":{"$ref":"#/components/schemas/apps.Mast"}},
              "cargo":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/apps.Mast"}},
              "open":{"type":"object","additionalProperties":true}}},
          "apps.Mast":{"type":"object","properties":{"height":{"type":"integer"},"above":{"$ref":"#/components/schemas/apps.Mast"}}},
          "meta.ObjectMeta":{"type":"object","properties":{"name":{"type":"string"}}},
          "apps.Broken":{"properties":{"x":{"$ref":"#/components/schemas/apps.Nowhere"}},"x-kubernetes-group-version-kind":[{"group":"apps","kind":"Broken","version":"v1"}]}
        }}}
        """;

    private const string Core = """
        {"components":{"schemas":{"core.Pod":{"type":"object","x-kubernetes-group-version-kind":[{"group":"","kind":"Pod","version":"v1"}]}}}}
        """;

    private static RequiredSchemaStore Both() => new(Json.Parse(Apps), Json.Parse(Core));

    [Fact]
    public void A_kind_of_the_core_group_is_found_also_behind_a_document_that_speaks_of_the_group()
    {
        Schema found = Both().Fetch(new SchemaSelector { ApiVersion = "v1", Kind = "Pod" });

        Assert.Equal("object", found.OpenapiV3.Fields["type"].StringValue);
    }

    [Fact]
    public void References_are_replaced_by_what_they_lead_to_all_the_way()
    {
        Schema found = Both().Fetch(new SchemaSelector { ApiVersion = "apps/v1", Kind = "Ship" });

        const string Mast = """{"type":"object","properties":{"height":{"type":"integer"},"above":{"type":"object"}}}""";
        JsonObject expected = Json.Parse($$$$"""
            {"type":"object","properties":{
                "metadata":{"type":"object","properties":{"name":{"type":"string"}}},
                "spec":{"type":"object","properties":{
                    "masts":{"type":"array","items":{{{{Mast}}}}},
                    "cargo":{"type":"object","additionalProperties":{{{{Mast}}}}},
                    "open":{"type":"object","additionalProperties":true}}},
                "size":{"type":"integer","minimum":1}},
              "x-kubernetes-group-version-kind":[{"group":"apps","kind":"Ship","version":"v1"}]}
            """);
        Assert.True(JsonNode.DeepEquals(expected, StructConverter.ToObject(found.OpenapiV3)), StructConverter.ToObject(found.OpenapiV3).ToJsonString());
    }

    [Fact]
    public void The_documents_stay_as_they_are()
    {
        JsonObject document = Json.Parse(Apps);

        new RequiredSchemaStore(document).Fetch(new SchemaSelector { ApiVersion = "apps/v1", Kind = "Ship" });

        Assert.True(JsonNode.DeepEquals(Json.Parse(Apps), document));
    }

    [Theory]
    [InlineData("apps/v1", "Boat")]
    [InlineData("apps/v2", "Ship")]
    [InlineData("v1", "Ship")]
    [InlineData("apps/v1", "DeleteOptions")]
    public void A_kind_that_is_not_there_or_shared_is_an_empty_schema(string apiVersion, string kind) =>
        Assert.Null(Both().Fetch(new SchemaSelector { ApiVersion = apiVersion, Kind = kind }).OpenapiV3);

    [Fact]
    public void An_API_version_that_is_none_is_an_error()
    {
        FunctionBuildException e = Assert.Throws<FunctionBuildException>(() => Both().Fetch(new SchemaSelector { ApiVersion = "a/b/c", Kind = "Ship" }));

        Assert.Equal("ApiVersionInvalid", e.ErrorId);
        Assert.Contains("a/b/c", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reference_to_nowhere_is_an_error()
    {
        FunctionBuildException e = Assert.Throws<FunctionBuildException>(() => Both().Fetch(new SchemaSelector { ApiVersion = "apps/v1", Kind = "Broken" }));

        Assert.Equal("SchemaReferenceNotFound", e.ErrorId);
        Assert.Contains("apps.Nowhere", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"components":[]}""")]
    [InlineData("""{"components":{"schemas":{"a":1,"b":null,"c":{"x-kubernetes-group-version-kind":{}},"d":{"x-kubernetes-group-version-kind":[1]}}}}""")]
    public void A_document_without_schemas_is_passed_over(string document) =>
        Assert.Null(new RequiredSchemaStore(Json.Parse(document)).Fetch(new SchemaSelector { ApiVersion = "v1", Kind = "Pod" }).OpenapiV3);

    [Fact]
    public void It_remembers_what_it_was_asked_for_once_each_and_in_order()
    {
        RequiredSchemaStore store = Both();

        store.Fetch(new SchemaSelector { ApiVersion = "v1", Kind = "Pod" });
        store.Fetch(new SchemaSelector { ApiVersion = "apps/v1", Kind = "Boat" });
        store.Fetch(new SchemaSelector { ApiVersion = "v1", Kind = "Pod" });

        Assert.Equal(["""{"apiVersion":"v1","kind":"Pod"}""", """{"apiVersion":"apps/v1","kind":"Boat"}"""], store.Requested.Select(item => item.ToJsonString()));
    }
}
