using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class CompositeRendererTests
{
    private const string AllIsWell = """
        [
          {"type": "Responsive", "status": "True", "reason": "WatchCircuitClosed", "lastTransitionTime": "2024-01-01T00:00:00Z"},
          {"type": "Synced", "status": "True", "reason": "ReconcileSuccess", "lastTransitionTime": "2024-01-01T00:00:00Z"},
          {"type": "Ready", "status": "True", "reason": "Available", "lastTransitionTime": "2024-01-01T00:00:00Z"}
        ]
        """;

    [Fact]
    public async Task An_empty_pipeline_leaves_references_and_conditions_and_nothing_else_of_the_input()
    {
        RenderResult result = await Empty(RenderCase.Composite(
            """, "labels": {"team": "a"} """,
            """, "spec": {"region": "eu"}, "status": {"old": true} """)).RenderAsync(new ScriptedCaller());

        RenderCase.AssertJson(
            $$"""
            {
              "apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "my-bucket"},
              "spec": {"crossplane": {"resourceRefs": []} }, "status": {"conditions": {{AllIsWell}} }
            }
            """,
            result.CompositeResource);
        Assert.Empty(result.ComposedResources);
        Assert.Empty(result.DeletedResources);
        Assert.Equal([new RenderEvent("Normal", "SelectComposition", "Successfully selected composition: buckets")], result.Events);
        Assert.Empty(result.Context);
        Assert.Null(result.TimeToLive);
    }

    [Fact]
    public async Task A_namespaced_resource_keeps_its_namespace()
    {
        RenderResult result = await (Empty(RenderCase.NamespacedComposite()) with { CompositeResourceDefinition = RenderCase.Definition("v2", "Namespaced") })
            .RenderAsync(new ScriptedCaller());

        RenderCase.AssertJson(
            $$"""
            {
              "apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "my-bucket", "namespace": "team-a"},
              "spec": {"crossplane": {"resourceRefs": []} }, "status": {"conditions": {{AllIsWell}} }
            }
            """,
            result.CompositeResource);
    }

    [Theory]
    [InlineData("v1", null)]
    [InlineData("v1", "LegacyCluster")]
    [InlineData("v2", "LegacyCluster")]
    public async Task A_legacy_resource_has_its_references_right_under_its_spec(string version, string? scope)
    {
        RenderResult result = await (Empty(RenderCase.Composite()) with { CompositeResourceDefinition = RenderCase.Definition(version, scope) })
            .RenderAsync(new ScriptedCaller());

        RenderCase.AssertJson("""{"resourceRefs": []}""", result.CompositeResource["spec"]);
        RenderCase.AssertJson(AllIsWell, result.CompositeResource["status"]!["conditions"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_observed_and_not_desired_would_be_deleted_without_the_labels_that_tie_it_to_its_owner(bool legacy)
    {
        RenderRequest request = Empty(RenderCase.Composite()) with
        {
            CompositeResourceDefinition = legacy ? RenderCase.Definition() : null,
            ObservedResources =
            [
                RenderCase.Observed("b", "thing-b"),
                RenderCase.Observed(
                    "a",
                    "thing-a",
                    """, "labels": {"keep": "me", "crossplane.io/composite": "my-bucket", "crossplane.io/claim-name": "c", "crossplane.io/claim-namespace": "n"} """),
            ],
        };

        RenderResult result = await request.RenderAsync(new ScriptedCaller());

        Assert.Equal(["thing-a", "thing-b"], result.DeletedResources.Select(resource => (string?)resource["metadata"]!["name"]));
        RenderCase.AssertJson("""{"keep": "me"}""", result.DeletedResources[0]["metadata"]!["labels"]);
        RenderCase.AssertJson("[]", legacy ? result.CompositeResource["spec"]!["resourceRefs"] : result.CompositeResource["spec"]!["crossplane"]!["resourceRefs"]);
    }

    [Fact]
    public async Task What_the_composite_resource_does_not_control_is_not_deleted()
    {
        JsonObject orphan = RenderCase.Observed("a", "thing-a");
        ((JsonObject)orphan["metadata"]!).Remove("ownerReferences");

        RenderResult result = await (Empty(RenderCase.Composite()) with { ObservedResources = [orphan] }).RenderAsync(new ScriptedCaller());

        Assert.Empty(result.DeletedResources);
    }

    [Fact]
    public async Task What_is_desired_is_not_deleted()
    {
        RenderResult result = await (RenderCase.Request with { ObservedResources = [RenderCase.Observed("a", "thing-a")] })
            .RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing());

        Assert.Empty(result.DeletedResources);
        Assert.Equal("thing-a", (string?)result.Composed("a")["metadata"]!["name"]);
    }

    [Fact]
    public async Task A_render_changes_nothing_of_its_request_and_is_the_same_again()
    {
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Json("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "no-uid"}}"""),
            Composition = RenderCase.Composition(spec: """, "writeConnectionSecretsToNamespace": "system" """),
            CompositeResourceDefinition = RenderCase.Definition(),
            ObservedResources = [Uncontrolled()],
        };
        string before = Text(request);

        RenderResult one = await request.RenderAsync(Script);
        RenderResult two = await request.RenderAsync(Script);

        Assert.Equal(before, Text(request));
        Assert.Equal(one.CompositeResource.ToJsonString(), two.CompositeResource.ToJsonString());
        Assert.Equal(one.ComposedResources.Select(resource => resource.ToJsonString()), two.ComposedResources.Select(resource => resource.ToJsonString()));
        Assert.Equal(one.Events, two.Events);

        static void Script(RunFunctionRequest request, RunFunctionResponse response)
        {
            response.Desired.Resources["new"] = RenderCase.Thing();
            response.Desired.Resources["old"] = RenderCase.Thing();
        }

        static JsonObject Uncontrolled()
        {
            JsonObject resource = RenderCase.Observed("old", "thing-old");
            ((JsonObject)resource["metadata"]!).Remove("ownerReferences");
            return resource;
        }

        static string Text(RenderRequest request) =>
            string.Join('\n', new[] { request.CompositeResource, request.Composition, request.ObservedResources[0] }.Select(item => item.ToJsonString()));
    }

    [Theory]
    [InlineData("""{}""", "it has no apiVersion")]
    [InlineData("""{"apiVersion": "example.org/v1"}""", "it has no kind")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket"}""", "it has no metadata.name")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": 1}""", "its metadata is not an object")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": 1}}""", "its metadata.name is not a text")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "a", "labels": {"a": 1}}}""", "its metadata.labels is not a map of texts")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "a", "ownerReferences": [1]}}""", "its metadata.ownerReferences is not a list of objects")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "a"}, "spec": []}""", "its spec is not an object")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "a"}, "status": 1}""", "its status is not an object")]
    [InlineData("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "a"}, "spec": {"crossplane": 1}}""", "its spec.crossplane is not an object")]
    public async Task What_is_no_composite_resource_is_refused_before_any_function_runs(string composite, string problem)
    {
        var caller = new ScriptedCaller();
        RenderRequest request = RenderCase.Request with { CompositeResource = RenderCase.Json(composite) };

        RenderException error = await Assert.ThrowsAsync<RenderException>(() => request.RenderAsync(caller));

        Assert.Equal("CompositeResourceInvalid", error.ErrorId);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Null(error.Partial);
        Assert.Empty(caller.Calls);
        Assert.Equal("CompositeResourceInvalid", Assert.Throws<RenderException>(() => CompositeRenderer.Check(request)).ErrorId);
    }

    [Fact]
    public void A_composition_tells_which_functions_it_uses()
    {
        JsonObject composition = RenderCase.CompositionOf("""
            [
              {"step": "a", "functionRef": {"name": "function-two"}},
              {"step": "b", "functionRef": {"name": "function-one"}},
              {"step": "c", "functionRef": {"name": "function-two"}}
            ]
            """);

        Assert.Equal(["function-two", "function-one"], CompositeRenderer.FunctionsOf(composition));
    }

    [Fact]
    public async Task The_whole_resource_is_the_input_with_defaults_under_what_was_rendered()
    {
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"region": "eu", "tags": ["a", "b"]}, "status": {"old": true, "size": 1} """),
            CompositeResourceDefinition = RenderCase.Definition("v2", schema: """{"properties": {"spec": {"properties": {"tier": {"default": "gold"}}}}}"""),
        };

        RenderResult result = await request.RenderAsync((_, response) => response.Desired.Composite = RenderCase.Desired("""{"status": {"size": 2}}"""));
        JsonObject whole = CompositeRenderer.Complete(request, result.CompositeResource);

        RenderCase.AssertJson("""{"region": "eu", "tags": ["a", "b"], "tier": "gold", "crossplane": {"resourceRefs": []}}""", whole["spec"]);
        RenderCase.AssertJson($$"""{"old": true, "size": 2, "conditions": {{AllIsWell}} }""", whole["status"]);
        Assert.False(((JsonObject)request.CompositeResource["spec"]!).ContainsKey("tier"));
    }

    [Fact]
    public async Task Functions_that_run_are_called_and_go_on_running()
    {
        await using FunctionServer server = await FunctionServer.Start(request =>
        {
            var response = new RunFunctionResponse { Desired = request.Desired, Context = request.Context };
            response.Desired.Resources["a"] = RenderCase.Thing(ready: Ready.True);
            return response;
        });

        for (int time = 0; time < 2; time++)
        {
            RenderResult result = await CompositeRenderer.RenderAsync(
                RenderCase.Request, [server.Running("function-one")], TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

            Assert.Single(result.ComposedResources);
            Assert.Equal("True", (string?)result.Condition("Ready")["status"]);
        }

        Assert.Equal(2, server.Requests.Count);
        Assert.Equal(server.Requests[0], server.Requests[1]);
    }

    [Fact]
    public async Task A_cancelled_render_is_cancelled()
    {
        using var source = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CompositeRenderer.RenderAsync(
            RenderCase.Request,
            ScriptedCaller.With((_, _) =>
            {
                source.Cancel();
                source.Token.ThrowIfCancellationRequested();
            }),
            source.Token));
    }

    private static RenderRequest Empty(JsonObject composite) => new() { CompositeResource = composite, Composition = RenderCase.CompositionOf("[]") };
}
