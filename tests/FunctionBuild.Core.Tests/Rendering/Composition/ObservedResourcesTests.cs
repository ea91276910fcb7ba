using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class ObservedResourcesTests
{
    [Fact]
    public void Resources_of_the_composite_resource_and_of_nobody_are_fine()
    {
        Check(RenderCase.Composite());
        Check(RenderCase.Composite(), RenderCase.Observed("a", "a"));
        Check(RenderCase.Composite(), Owned("", controller: false), Owned(RenderCase.Uid, controller: true));
        Check(RenderCase.Composite(), Owned("someone-else", controller: false));
        Check(RenderCase.Composite(), RenderCase.Observed("a", "a", """, "namespace": "anywhere" """));
        Check(RenderCase.NamespacedComposite(), RenderCase.Observed("a", "a", """, "namespace": "team-a" """));
    }

    [Fact]
    public void All_faults_are_listed()
    {
        JsonObject foreign = Owned("someone-else", controller: true);
        foreign["metadata"]!["name"] = "foreign";
        foreign["metadata"]!["namespace"] = "team-b";

        RenderException error = Assert.Throws<RenderException>(() => Check(
            RenderCase.NamespacedComposite(),
            RenderCase.Observed("good", "good", """, "namespace": "team-a" """),
            foreign,
            RenderCase.Json("""{"apiVersion": "things.org/v1", "metadata": {"name": "odd"}}"""),
            RenderCase.Observed("twin", "one", """, "namespace": "team-a" """),
            RenderCase.Observed("twin", "two", """, "namespace": "team-a" """)));

        Assert.Equal("ObservedResourceInvalid", error.ErrorId);
        Assert.Contains("Thing 'foreign' is controlled by Other 'other' with UID 'someone-else'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Thing 'foreign' is in namespace 'team-b', and the composite resource in 'team-a'", error.Message, StringComparison.Ordinal);
        Assert.Contains("number 3 ('odd') is no object: it has no kind", error.Message, StringComparison.Ordinal);
        Assert.Contains("Thing 'one' and Thing 'two' have the same name in the pipeline, 'twin'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("'good'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_resource_without_a_name_is_a_fault()
    {
        JsonObject nameless = RenderCase.Observed("a", "a");
        ((JsonObject)nameless["metadata"]!).Remove("name");

        RenderException error = Assert.Throws<RenderException>(() => Check(RenderCase.Composite(), nameless));

        Assert.Contains("number 1 (Thing) has no metadata.name", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Functions_see_them_under_their_names_and_the_composite_resource_refers_to_them()
    {
        var caller = ScriptedCaller.With((_, _) => { });
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"crossplane": {"resourceRefs": [{"apiVersion": "v1", "kind": "Old", "name": "gone"}]}} """),
            ObservedResources = [RenderCase.Observed("a", "thing-a", """, "namespace": "far" """, """, "status": {"ready": true} """)],
        };

        await request.RenderAsync(caller);

        State observed = caller.Calls[0].Request.Observed;
        Assert.Equal(["a"], observed.Resources.Keys);
        Assert.True(observed.Resources["a"].Resource_.Fields["status"].StructValue.Fields["ready"].BoolValue);
        RenderCase.AssertJson(
            """[{"apiVersion": "things.org/v1", "kind": "Thing", "name": "thing-a", "namespace": "far"}]""",
            ObservedComposite(caller)["spec"]!["crossplane"]!["resourceRefs"]);
    }

    [Fact]
    public async Task References_of_a_namespaced_resource_have_no_namespace()
    {
        var caller = ScriptedCaller.With((_, _) => { });

        await (RenderCase.Request with
        {
            CompositeResource = RenderCase.NamespacedComposite(),
            ObservedResources = [RenderCase.Observed("a", "thing-a", """, "namespace": "team-a" """)],
        }).RenderAsync(caller);

        Assert.Equal(["a"], caller.Calls[0].Request.Observed.Resources.Keys);
        RenderCase.AssertJson(
            """[{"apiVersion": "things.org/v1", "kind": "Thing", "name": "thing-a"}]""",
            ObservedComposite(caller)["spec"]!["crossplane"]!["resourceRefs"]);
    }

    [Fact]
    public async Task References_without_a_name_to_what_is_not_there_and_to_what_others_control_are_passed_over()
    {
        JsonObject foreign = Owned("someone-else", controller: true);
        var caller = ScriptedCaller.With((_, _) => { });
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """
                , "spec": {"crossplane": {"resourceRefs": [
                  {"apiVersion": "things.org/v1", "kind": "Thing"},
                  {"apiVersion": "things.org/v1", "kind": "Thing", "name": "gone"},
                  {"apiVersion": "things.org/v1", "kind": "Thing", "name": "some"}
                ]}}
                """),
            RequiredResources = [foreign],
        };

        await request.RenderAsync(caller);

        Assert.Empty(caller.Calls[0].Request.Observed.Resources);
        Assert.Equal(3, ObservedComposite(caller)["spec"]!["crossplane"]!["resourceRefs"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_resource_without_the_annotation_is_an_error_that_names_it()
    {
        JsonObject anonymous = RenderCase.Observed("a", "thing-a");
        ((JsonObject)anonymous["metadata"]!).Remove("annotations");

        RenderException error = await (RenderCase.Request with { ObservedResources = [anonymous] }).FailAsync((_, _) => { });

        Assert.Equal("ObservedResourceUnnamed", error.ErrorId);
        Assert.Contains("Thing 'thing-a'", error.Message, StringComparison.Ordinal);
        Assert.Contains("crossplane.io/composition-resource-name", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reference_of_ones_own_leads_to_a_required_resource_that_is_controlled()
    {
        var caller = ScriptedCaller.With((_, _) => { });
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """
                , "spec": {"crossplane": {"resourceRefs": [{"apiVersion": "things.org/v1", "kind": "Thing", "name": "thing-a"}]}}
                """),
            RequiredResources = [RenderCase.Observed("a", "thing-a")],
        };

        RenderResult result = await request.RenderAsync(caller);

        Assert.Equal(["a"], caller.Calls[0].Request.Observed.Resources.Keys);
        Assert.Equal("thing-a", (string?)Assert.Single(result.DeletedResources)["metadata"]!["name"]);
    }

    [Fact]
    public async Task A_required_resource_never_takes_the_place_of_the_composite_resource()
    {
        JsonObject other = RenderCase.Composite(more: """, "spec": {"from": "required"} """);
        ScriptedCaller caller = ScriptedCaller.With((_, response) =>
        {
            response.Requirements = new Requirements();
            response.Requirements.Resources["itself"] = new ResourceSelector { ApiVersion = "example.org/v1", Kind = "XBucket", MatchName = "my-bucket" };
        });

        await (RenderCase.Request with { CompositeResource = RenderCase.Composite(more: """, "spec": {"from": "given"} """), RequiredResources = [other] }).RenderAsync(caller);

        Assert.Equal("given", (string?)ObservedComposite(caller)["spec"]!["from"]);
        Assert.Equal("required", From(Assert.Single(caller.Calls[^1].Request.RequiredResources["itself"].Items)));

        static string From(Resource resource) => resource.Resource_.Fields["spec"].StructValue.Fields["from"].StringValue;
    }

    private static void Check(JsonObject composite, params JsonObject[] observed) =>
        CompositeRenderer.Check(RenderCase.Request with { CompositeResource = composite, ObservedResources = observed });

    private static JsonObject Owned(string uid, bool controller) => RenderCase.Json($$"""
        {
          "apiVersion": "things.org/v1", "kind": "Thing",
          "metadata": {"name": "some", "ownerReferences": [{"apiVersion": "v1", "kind": "Other", "name": "other", "uid": "{{uid}}" {{(controller ? ", \"controller\": true" : "")}}}]}
        }
        """);

    private static JsonObject ObservedComposite(ScriptedCaller caller) =>
        Core.Rendering.Objects.StructConverter.ToObject(caller.Calls[0].Request.Observed.Composite.Resource_);
}
