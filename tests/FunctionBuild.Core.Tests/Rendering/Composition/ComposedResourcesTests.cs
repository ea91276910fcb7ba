using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class ComposedResourcesTests
{
    private const string Owner = $$"""
        {
          "apiVersion": "example.org/v1", "kind": "XBucket", "name": "my-bucket", "uid": "{{RenderCase.Uid}}",
          "controller": true, "blockOwnerDeletion": true
        }
        """;

    [Fact]
    public async Task A_new_resource_gets_a_name_an_owner_a_label_and_its_name_in_the_pipeline()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing());

        string name = ResourceNames.Child("my-bucket-", RenderCase.Uid, "a");
        RenderCase.AssertJson(
            $$"""
            {
              "apiVersion": "things.org/v1", "kind": "Thing",
              "metadata": {
                "name": "{{name}}", "generateName": "my-bucket-",
                "annotations": {"crossplane.io/composition-resource-name": "a"},
                "labels": {"crossplane.io/composite": "my-bucket"},
                "ownerReferences": [{{Owner}}]
              },
              "spec": {"size": 3}
            }
            """,
            Assert.Single(result.ComposedResources));
        RenderCase.AssertJson(
            $$"""[{"apiVersion": "things.org/v1", "kind": "Thing", "name": "{{name}}"}]""",
            result.CompositeResource["spec"]!["crossplane"]!["resourceRefs"]);
    }

    [Fact]
    public async Task What_a_function_says_of_names_labels_and_owners_stays()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) =>
        {
            response.Desired.Resources["named"] = RenderCase.Thing("""{"name": "mine", "labels": {"a": "b"}, "annotations": {"c": "d"}, "ownerReferences": [{"uid": "friend", "kind": "Friend", "controller": false, "since": "ever"}]}""");
            response.Desired.Resources["prefixed"] = RenderCase.Thing("""{"generateName": "pre"}""");
            response.Desired.Resources["spaced"] = RenderCase.Thing("""{"name": "mine", "namespace": "far"}""");
        });

        JsonObject named = (JsonObject)result.Composed("named")["metadata"]!;
        Assert.Equal("mine", (string?)named["name"]);
        Assert.Null(named["generateName"]);
        RenderCase.AssertJson("""{"a": "b", "crossplane.io/composite": "my-bucket"}""", named["labels"]);
        RenderCase.AssertJson("""{"c": "d", "crossplane.io/composition-resource-name": "named"}""", named["annotations"]);
        RenderCase.AssertJson($$"""[{"apiVersion": "", "kind": "Friend", "name": "", "uid": "friend", "controller": false}, {{Owner}}]""", named["ownerReferences"]);
        Assert.StartsWith("pre-", result.Composed("prefixed").Name(), StringComparison.Ordinal);
        Assert.Equal("pre", (string?)result.Composed("prefixed")["metadata"]!["generateName"]);
        Assert.Equal("far", result.Composed("spaced").Namespace());
    }

    [Fact]
    public async Task A_name_comes_from_the_owner_and_not_from_references_that_lead_nowhere()
    {
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"crossplane": {"resourceRefs": [{"apiVersion": "things.org/v1", "kind": "Thing", "name": "my-bucket-old"}]}} """),
        };

        RenderResult result = await request.RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing());

        Assert.Equal(ResourceNames.Child("my-bucket-", RenderCase.Uid, "a"), Assert.Single(result.ComposedResources).Name());
    }

    [Fact]
    public async Task An_observed_resource_keeps_name_and_namespace_whatever_functions_say_and_even_of_another_kind()
    {
        RenderRequest request = RenderCase.Request with
        {
            ObservedResources = [RenderCase.Observed("a", "thing-a", """, "namespace": "here", "generateName": "old-" """), RenderCase.Observed("b", "thing-b")],
        };

        RenderResult result = await request.RenderAsync((_, response) =>
        {
            response.Desired.Resources["a"] = RenderCase.Thing("""{"name": "new", "namespace": "there", "generateName": "new-"}""");
            response.Desired.Resources["b"] = RenderCase.Desired("""{"apiVersion": "other.org/v2", "kind": "Other"}""");
        });

        JsonObject metadata = (JsonObject)result.Composed("a")["metadata"]!;
        Assert.Equal(("thing-a", "here", "old-"), ((string?)metadata["name"], (string?)metadata["namespace"], (string?)metadata["generateName"]));
        Assert.Equal(("thing-b", "Other"), (result.Composed("b").Name(), result.Composed("b").Kind()));
        Assert.Empty(result.DeletedResources);
    }

    [Fact]
    public async Task Claim_labels_are_handed_down_when_both_are_there()
    {
        RenderResult both = await ComposeAsync(RenderCase.Composite(""", "labels": {"crossplane.io/claim-name": "c", "crossplane.io/claim-namespace": "n", "other": "o"} """));
        RenderResult one = await ComposeAsync(RenderCase.Composite(""", "labels": {"crossplane.io/claim-name": "c"} """));

        RenderCase.AssertJson(
            """{"crossplane.io/composite": "my-bucket", "crossplane.io/claim-name": "c", "crossplane.io/claim-namespace": "n"}""",
            both.Composed("a")["metadata"]!["labels"]);
        RenderCase.AssertJson("""{"crossplane.io/composite": "my-bucket"}""", one.Composed("a")["metadata"]!["labels"]);

        static Task<RenderResult> ComposeAsync(JsonObject composite) =>
            (RenderCase.Request with { CompositeResource = composite }).RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing());
    }

    [Theory]
    [InlineData(RenderCase.Uid, true)]
    [InlineData(RenderCase.Uid, false)]
    public async Task An_owner_reference_to_the_composite_resource_is_replaced(string uid, bool controller)
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing(
            $$"""{"ownerReferences": [{"apiVersion": "old/v1", "kind": "Old", "name": "old", "uid": "{{uid}}", "controller": {{(controller ? "true" : "false")}} }]}"""));

        RenderCase.AssertJson($"[{Owner}]", result.Composed("a")["metadata"]!["ownerReferences"]);
    }

    [Fact]
    public async Task A_resource_of_another_controller_is_refused()
    {
        RenderException error = await RenderCase.Request.FailAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing(
            """{"ownerReferences": [{"kind": "Boss", "name": "big", "uid": "someone-else", "controller": true}]}"""));

        Assert.Equal("ComposedResourceControlled", error.ErrorId);
        Assert.Contains("'a' is already controlled by Boss 'big'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kind": "Thing"}""", "it has no apiVersion")]
    [InlineData("""{"apiVersion": "things.org/v1"}""", "it has no kind")]
    [InlineData("""{"apiVersion": "things.org/v1", "kind": "Thing", "metadata": "no"}""", "its metadata is not an object")]
    [InlineData("""{"apiVersion": "things.org/v1", "kind": "Thing", "metadata": {"name": 5}}""", "its metadata.name is not a text")]
    [InlineData("""{"apiVersion": "things.org/v1", "kind": "Thing", "metadata": {"annotations": {"a": true}}}""", "its metadata.annotations is not a map of texts")]
    public async Task What_is_no_object_is_refused(string desired, string problem)
    {
        RenderException error = await RenderCase.Request.FailAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Desired(desired));

        Assert.Equal("DesiredResourceInvalid", error.ErrorId);
        Assert.Contains("'a'", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_desired_resource_without_an_object_is_refused()
    {
        RenderException error = await RenderCase.Request.FailAsync((_, response) => response.Desired.Resources["a"] = new Resource());

        Assert.Equal("DesiredResourceInvalid", error.ErrorId);
    }

    [Fact]
    public async Task A_name_that_no_API_server_takes_is_refused()
    {
        RenderException error = await RenderCase.Request.FailAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing("""{"name": "%!(cool)-resource"}"""));

        Assert.Equal("ComposedResourceNameInvalid", error.ErrorId);
        Assert.Contains("'%!(cool)-resource'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_resources_that_are_one_object_are_refused()
    {
        RenderException twins = await RenderCase.Request.FailAsync((_, response) =>
        {
            response.Desired.Resources["a"] = RenderCase.Thing("""{"name": "same"}""");
            response.Desired.Resources["b"] = RenderCase.Thing("""{"name": "same"}""");
        });
        RenderException itself = await RenderCase.Request.FailAsync(
            (_, response) => response.Desired.Resources["a"] = RenderCase.Desired("""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "my-bucket"}}"""));

        Assert.Equal("ComposedResourceCollision", twins.ErrorId);
        Assert.Contains("'b' is the same object as the desired resource 'a'", twins.Message, StringComparison.Ordinal);
        Assert.Contains("in no namespace", twins.Message, StringComparison.Ordinal);
        Assert.Equal("ComposedResourceCollision", itself.ErrorId);
        Assert.Contains("the composite resource itself", itself.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_namespaced_resource_composes_in_its_own_namespace_and_says_when_it_overrides_one()
    {
        RenderResult result = await (RenderCase.Request with { CompositeResource = RenderCase.NamespacedComposite() }).RenderAsync((_, response) =>
        {
            response.Desired.Resources["elsewhere"] = RenderCase.Thing("""{"namespace": "team-b"}""", Ready.True);
            response.Desired.Resources["none"] = RenderCase.Thing(ready: Ready.True);
            response.Desired.Resources["same"] = RenderCase.Thing("""{"namespace": "team-a"}""", Ready.True);
            response.Results.Add(new Result { Severity = Severity.Normal, Message = "hi" });
        });

        Assert.All(result.ComposedResources, resource => Assert.Equal("team-a", resource.Namespace()));
        Assert.All(result.CompositeResource["spec"]!["crossplane"]!["resourceRefs"]!.AsArray(), reference => Assert.Null(reference!["namespace"]));
        Assert.Equal(
            [
                new RenderEvent("Normal", "SelectComposition", "Successfully selected composition: buckets"),
                new RenderEvent("Normal", "ComposeResources", "Pipeline step \"one\": hi"),
                new RenderEvent("Warning", "NamespaceOverridden", "cannot create composed resource \"elsewhere\" in namespace \"team-b\", using XR namespace \"team-a\" instead"),
            ],
            result.Events);
    }

    [Fact]
    public async Task A_namespaced_resource_cannot_compose_what_is_known_to_be_in_no_namespace()
    {
        RenderException error = await (RenderCase.Request with { CompositeResource = RenderCase.NamespacedComposite() }).FailAsync(
            (_, response) => response.Desired.Resources["a"] = RenderCase.Desired("""{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}"""));

        Assert.Equal("ComposedResourceScopeInvalid", error.ErrorId);
        Assert.Contains("'a' is a ClusterRole", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_resource_in_no_namespace_composes_anywhere()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) =>
        {
            response.Desired.Resources["role"] = RenderCase.Desired("""{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:reader"}}""");
            response.Desired.Resources["thing"] = RenderCase.Thing("""{"name": "t", "namespace": "far"}""");
        });

        Assert.Equal("", result.Composed("role").Namespace());
        Assert.Equal("system:reader", result.Composed("role").Name());
        Assert.Equal("far", result.Composed("thing").Namespace());
    }

    [Fact]
    public async Task References_are_ordered_by_type_name_and_namespace_and_resources_by_their_name_in_the_pipeline()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) =>
        {
            response.Desired.Resources["z"] = RenderCase.Thing("""{"name": "a"}""");
            response.Desired.Resources["x"] = RenderCase.Thing("""{"name": "b", "namespace": "b"}""");
            response.Desired.Resources["y"] = RenderCase.Thing("""{"name": "b", "namespace": "a", "uid": "u"}""");
            response.Desired.Resources["Z"] = RenderCase.Desired("""{"apiVersion": "a.org/v1", "kind": "Thing", "metadata": {"name": "c"}}""");
        });

        RenderCase.AssertJson(
            """
            [
              {"apiVersion": "a.org/v1", "kind": "Thing", "name": "c"},
              {"apiVersion": "things.org/v1", "kind": "Thing", "name": "a"},
              {"apiVersion": "things.org/v1", "kind": "Thing", "name": "b", "namespace": "a", "uid": "u"},
              {"apiVersion": "things.org/v1", "kind": "Thing", "name": "b", "namespace": "b"}
            ]
            """,
            result.CompositeResource["spec"]!["crossplane"]!["resourceRefs"]);
        Assert.Equal(["Z", "x", "y", "z"], result.ComposedResources.Select(resource => resource.Annotation("crossplane.io/composition-resource-name")));
    }

    [Fact]
    public async Task Conditions_of_composed_resources_have_the_stable_time()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Desired(
            """{"apiVersion": "things.org/v1", "kind": "Thing", "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "2031-05-05T00:00:00Z"}]}}"""));

        Assert.Equal("2024-01-01T00:00:00Z", (string?)result.Composed("a")["status"]!["conditions"]![0]!["lastTransitionTime"]);
    }

    [Fact]
    public async Task A_legacy_resource_with_a_claim_hands_down_its_prefix_and_claim_and_refers_right_under_its_spec()
    {
        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(""", "labels": {"crossplane.io/composite": "shop-x7k2p", "crossplane.io/claim-name": "shop", "crossplane.io/claim-namespace": "team-a"} """),
            CompositeResourceDefinition = RenderCase.Definition(),
        }).RenderAsync((_, response) =>
        {
            response.Desired.Resources["new"] = RenderCase.Thing("""{"namespace": "far"}""");
            response.Desired.Resources["named"] = RenderCase.Thing("""{"name": "mine"}""");
        });

        JsonObject metadata = (JsonObject)result.Composed("new")["metadata"]!;
        string name = ResourceNames.Child("shop-x7k2p-", RenderCase.Uid, "new");
        Assert.Equal(("shop-x7k2p-", name), ((string?)metadata["generateName"], (string?)metadata["name"]));
        RenderCase.AssertJson(
            """{"crossplane.io/composite": "shop-x7k2p", "crossplane.io/claim-name": "shop", "crossplane.io/claim-namespace": "team-a"}""",
            metadata["labels"]);
        RenderCase.AssertJson(
            $$"""
            {"resourceRefs": [
              {"apiVersion": "things.org/v1", "kind": "Thing", "name": "mine"},
              {"apiVersion": "things.org/v1", "kind": "Thing", "name": "{{name}}", "namespace": "far"}
            ]}
            """,
            result.CompositeResource["spec"]);
    }

    [Fact]
    public async Task An_observed_resource_of_a_namespaced_one_stays_without_a_word_about_its_namespace()
    {
        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.NamespacedComposite(),
            ObservedResources = [RenderCase.Observed("a", "thing-a", """, "namespace": "team-a" """)],
        }).RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Thing("""{"namespace": "team-b"}""", Ready.True));

        Assert.Equal("team-a", result.Composed("a").Namespace());
        Assert.Equal(["SelectComposition"], result.Events.Select(item => item.Reason));
    }

    [Fact]
    public async Task A_status_without_conditions_stays_as_it_is()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) => response.Desired.Resources["a"] = RenderCase.Desired(
            """{"apiVersion": "things.org/v1", "kind": "Thing", "status": {"phase": "New"}}"""));

        RenderCase.AssertJson("""{"phase": "New"}""", result.Composed("a")["status"]);
    }
}
