using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class FunctionPipelineTests
{
    private static readonly JsonObject TwoSteps = RenderCase.CompositionOf("""
        [
          {"step": "first", "functionRef": {"name": "function-one"}, "input": {"apiVersion": "in.org/v1", "kind": "Input", "size": 5}},
          {"step": "second", "functionRef": {"name": "function-two"}}
        ]
        """);

    [Fact]
    public async Task Each_step_gets_the_desired_state_and_context_of_the_one_before_and_the_same_observed_state()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, response) =>
        {
            response.Desired.Composite = RenderCase.Desired("""{"status": {"widgets": 42}}""");
            response.Desired.Composite.ConnectionDetails["from"] = ByteString.CopyFromUtf8("one");
            response.Desired.Resources["a"] = RenderCase.Thing();
            response.Context.Fields["said"] = Value.ForString("hello");
        }).Add("function-two", (_, response) => response.Context.Fields["more"] = Value.ForNumber(2));

        RenderResult result = await (RenderCase.Request with { Composition = TwoSteps }).RenderAsync(caller);

        Assert.Equal(["function-one", "function-two"], caller.Calls.Select(call => call.Function));
        (RunFunctionRequest first, RunFunctionRequest second) = (caller.Calls[0].Request, caller.Calls[1].Request);
        Assert.Equal(new State(), first.Desired);
        Assert.Equal(new Struct(), first.Context);
        Assert.Equal(5, first.Input.Fields["size"].NumberValue);
        Assert.Null(second.Input);
        Assert.Equal(first.Observed, second.Observed);
        Assert.Equal(["a"], second.Desired.Resources.Keys);
        Assert.Equal("one", second.Desired.Composite.ConnectionDetails["from"].ToStringUtf8());
        Assert.Equal("hello", second.Context.Fields["said"].StringValue);
        RenderCase.AssertJson("""{"said": "hello", "more": 2}""", result.Context);
        Assert.Equal(42, (long)result.CompositeResource["status"]!["widgets"]!);
    }

    [Fact]
    public async Task The_first_step_gets_the_requests_context()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });

        RenderResult result = await (RenderCase.Request with { Context = RenderCase.Json("""{"example.org/env": {"a": [1]}}""") }).RenderAsync(caller);

        Assert.Equal(RenderCase.Struct("""{"example.org/env": {"a": [1]}}"""), caller.Calls[0].Request.Context);
        RenderCase.AssertJson("""{"example.org/env": {"a": [1]}}""", result.Context);
    }

    [Fact]
    public async Task A_step_that_returns_no_state_and_no_context_leaves_none()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, response) => response.Desired.Resources["a"] = RenderCase.Thing()).Add("function-two", (_, response) =>
        {
            response.Desired = null;
            response.Context = null;
        });

        RenderResult result = await (RenderCase.Request with { Composition = TwoSteps, Context = RenderCase.Json("""{"a": 1}""") }).RenderAsync(caller);

        Assert.Empty(result.ComposedResources);
        Assert.Empty(result.Context);
    }

    [Fact]
    public async Task Functions_see_the_composite_resource_as_the_controller_does()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });

        await (RenderCase.Request with { CompositeResource = RenderCase.Composite(""", "generation": 7 """, """, "spec": {"region": "eu"} """) }).RenderAsync(caller);

        RenderCase.AssertJson(
            $$"""
            {
              "apiVersion": "example.org/v1", "kind": "XBucket",
              "metadata": {"name": "my-bucket", "uid": "{{RenderCase.Uid}}", "resourceVersion": "999", "generation": 7, "labels": {"crossplane.io/composite": "my-bucket"} },
              "spec": {"region": "eu", "crossplane": {"compositionRef": {"name": "buckets"} } },
              "status": {"conditions": [
                {"type": "Responsive", "status": "True", "reason": "WatchCircuitClosed", "lastTransitionTime": "2024-01-01T00:00:00Z", "observedGeneration": 7}
              ]}
            }
            """,
            StructConverter.ToObject(caller.Calls[0].Request.Observed.Composite.Resource_));
    }

    [Fact]
    public async Task A_name_prefix_that_is_there_stays()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, response) => response.Desired.Resources["a"] = RenderCase.Thing());

        RenderResult result = await (RenderCase.Request with { CompositeResource = RenderCase.Composite(""", "labels": {"crossplane.io/composite": "parent"} """) }).RenderAsync(caller);

        Assert.Equal("parent", result.Composed("a").Label("crossplane.io/composite"));
        Assert.StartsWith("parent-", result.Composed("a").Name(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_have_a_tag_and_say_what_their_caller_can_do()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });

        await RenderCase.Request.RenderAsync(caller);
        await RenderCase.Request.RenderAsync(caller);
        await (RenderCase.Request with { Context = RenderCase.Json("""{"a": 1}""") }).RenderAsync(caller);

        string[] tags = [.. caller.Calls.Select(call => call.Request.Meta.Tag)];
        Assert.Equal(tags[0], tags[1]);
        Assert.NotEqual(tags[0], tags[2]);
        RunFunctionRequest untagged = caller.Calls[0].Request.Clone();
        untagged.Meta = null;
        Assert.Equal(RequestTag.Of(untagged), tags[0]);
        Assert.Equal(
            [Capability.Capabilities, Capability.RequiredResources, Capability.Credentials, Capability.Conditions, Capability.RequiredSchemas],
            caller.Calls[0].Request.Meta.Capabilities);
    }

    [Fact]
    public async Task Credentials_come_from_Secrets()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });
        RenderRequest request = RenderCase.Request with
        {
            Composition = RenderCase.Composition("""
                , "credentials": [
                  {"name": "cloud", "source": "Secret", "secretRef": {"namespace": "system", "name": "cloud"}},
                  {"name": "plain", "source": "Secret", "secretRef": {"namespace": "system", "name": "plain"}},
                  {"name": "none", "source": "None"}
                ]
                """),
            Credentials =
            [
                RenderCase.Secret("cloud", "system", """ "data": {"key": "czNjcmV0"} """),
                RenderCase.Json("""{"metadata": {"name": "plain", "namespace": "system"}, "data": {"key": "b2xk"}, "stringData": {"key": "new"}}"""),
            ],
        };

        await request.RenderAsync(caller);

        RunFunctionRequest seen = caller.Calls[0].Request;
        Assert.Equal(["cloud", "plain"], seen.Credentials.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("s3cret", seen.Credentials["cloud"].CredentialData.Data["key"].ToStringUtf8());
        Assert.Equal("new", seen.Credentials["plain"].CredentialData.Data["key"].ToStringUtf8());
    }

    [Fact]
    public async Task A_Secret_that_is_not_there_is_an_error_that_names_it()
    {
        RenderException error = await (RenderCase.Request with
        {
            Composition = RenderCase.Composition(""", "credentials": [{"name": "cloud", "source": "Secret", "secretRef": {"namespace": "system", "name": "cloud"}}]"""),
        }).FailAsync((_, _) => { });

        Assert.Equal("CredentialNotFound", error.ErrorId);
        Assert.Contains("'one'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'cloud'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'system/cloud'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_step_requires_from_the_start_comes_with_the_first_call_and_is_on_record()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });
        RenderRequest request = RenderCase.Request with
        {
            Composition = RenderCase.Composition("""
                , "requirements": {
                  "requiredResources": [
                    {"requirementName": "by-name", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "team-a", "name": "settings"},
                    {"requirementName": "by-label", "apiVersion": "v1", "kind": "ConfigMap", "matchLabels": {"team": "a"}},
                    {"requirementName": "absent", "apiVersion": "v1", "kind": "ConfigMap", "name": "nowhere"}
                  ],
                  "requiredSchemas": [{"requirementName": "thing", "apiVersion": "things.org/v1", "kind": "Thing"}]
                }
                """),
            RequiredResources =
            [
                RenderCase.Json("""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "team-a"}}"""),
                RenderCase.Json("""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "labelled", "labels": {"team": "a"}}}"""),
            ],
            RequiredSchemas =
            [
                RenderCase.Json("""
                    {"components": {"schemas": {"org.things.v1.Thing": {
                      "type": "object", "x-kubernetes-group-version-kind": [{"group": "things.org", "version": "v1", "kind": "Thing"}]
                    }}}}
                    """),
            ],
        };

        RenderResult result = await request.RenderAsync(caller);

        RunFunctionRequest first = caller.Calls[0].Request;
        Assert.Equal("settings", Name(Assert.Single(first.RequiredResources["by-name"].Items)));
        Assert.Equal("labelled", Name(Assert.Single(first.RequiredResources["by-label"].Items)));
        Assert.Empty(first.RequiredResources["absent"].Items);
        Assert.Equal("object", first.RequiredSchemas["thing"].OpenapiV3.Fields["type"].StringValue);
        Assert.Equal(["settings", null, "nowhere"], result.RequiredResources.Select(selector => (string?)selector["matchName"]));
        Assert.Equal("Thing", (string?)Assert.Single(result.RequiredSchemas)["kind"]);

        static string Name(Resource resource) => resource.Resource_.Fields["metadata"].StructValue.Fields["name"].StringValue;
    }

    [Fact]
    public async Task What_a_function_asks_for_comes_with_the_next_call()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, response) =>
        {
            response.Requirements = new Requirements();
            response.Requirements.Resources["composite"] = new ResourceSelector { ApiVersion = "example.org/v1", Kind = "XBucket", MatchName = "my-bucket" };
            response.Requirements.Resources["sibling"] = new ResourceSelector { ApiVersion = "things.org/v1", Kind = "Thing", MatchName = "thing-a" };
        });

        RenderResult result = await (RenderCase.Request with { ObservedResources = [RenderCase.Observed("a", "thing-a")] }).RenderAsync(caller);

        RunFunctionRequest last = caller.Calls[^1].Request;
        Assert.Equal(RenderCase.Uid, last.RequiredResources["composite"].Items[0].Resource_.Fields["metadata"].StructValue.Fields["uid"].StringValue);
        Assert.Single(last.RequiredResources["sibling"].Items);
        Assert.Equal(2, result.RequiredResources.Count);
    }

    [Fact]
    public async Task Requirements_that_never_settle_are_an_error_of_their_step_that_tells_what_was_asked_for()
    {
        int calls = 0;

        RenderException error = await RenderCase.Request.FailAsync((_, response) =>
        {
            response.Requirements = new Requirements();
            response.Requirements.ExtraResources["more"] = new ResourceSelector { ApiVersion = "v1", Kind = $"Kind{calls++}", MatchName = "a" };
        });

        Assert.Equal(6, calls);
        Assert.Equal("FunctionRequirementsUnstable", error.ErrorId);
        Assert.StartsWith("Pipeline step 'one': ", error.Message, StringComparison.Ordinal);
        Assert.Equal(["Kind0", "Kind1", "Kind2", "Kind3", "Kind4", "Kind5"], error.RequiredResources.Select(selector => (string?)selector["kind"]));
    }

    [Fact]
    public async Task A_requirement_that_cannot_be_met_is_an_error_of_its_step()
    {
        RenderException error = await (RenderCase.Request with
        {
            Composition = RenderCase.Composition(""", "requirements": {"requiredSchemas": [{"requirementName": "thing", "apiVersion": "a/b/c", "kind": "Thing"}]}"""),
        }).FailAsync((_, _) => { });

        Assert.Equal("ApiVersionInvalid", error.ErrorId);
        Assert.Contains("Pipeline step 'one'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'thing'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_fails_keeps_its_error_and_gets_the_steps_name()
    {
        RenderException error = await Assert.ThrowsAsync<RenderException>(() => RenderCase.Request.RenderAsync(new ScriptedCaller()));

        Assert.Equal("FunctionNotFound", error.ErrorId);
        Assert.Equal(FaultKind.NotFound, error.Kind);
        Assert.Equal("one", error.TargetObject);
        Assert.Equal("Pipeline step 'one': There is no function 'function-one'.", error.Message);
        Assert.IsType<FunctionBuildException>(error.InnerException);
        Assert.Equal("Synced", (string?)error.Partial!.CompositeResource["status"]!["conditions"]![1]!["type"]);
    }

    [Fact]
    public async Task A_fatal_result_stops_the_pipeline_and_keeps_what_was_said_before()
    {
        int calls = 0;
        ScriptedCaller caller = ScriptedCaller.With((_, response) =>
        {
            response.Requirements = new Requirements();
            response.Requirements.Resources["role"] = new ResourceSelector { ApiVersion = "rbac.authorization.k8s.io/v1", Kind = "ClusterRole", MatchName = "some-role" };
            response.Conditions.Add(new Condition { Type = "DatabaseReady", Status = Status.ConditionFalse, Reason = "Creating" });
            response.Conditions.Add(new Condition { Type = "Ready", Status = Status.ConditionTrue, Reason = "NotYours" });
            response.Results.Add(new Result { Severity = Severity.Normal, Message = "before" });
            if (++calls == 2)
            {
                response.Results.Add(new Result { Severity = Severity.Fatal, Message = "oh no" });
                response.Results.Add(new Result { Severity = Severity.Normal, Message = "after" });
            }
        });
        RenderRequest request = RenderCase.Request with
        {
            Composition = TwoSteps,
            CompositeResource = RenderCase.Composite(more: """, "status": {"conditions": [{"type": "BucketReady", "status": "True", "reason": "Available"}]} """),
        };

        RenderException error = await Assert.ThrowsAsync<RenderException>(() => request.RenderAsync(caller));

        Assert.Equal("FunctionFatal", error.ErrorId);
        Assert.Equal("Function 'function-one' in pipeline step 'first' returned a fatal result: oh no", error.Message);
        Assert.Equal("first", error.TargetObject);
        Assert.Equal("some-role", (string?)Assert.Single(error.RequiredResources)["matchName"]);
        Assert.Empty(error.RequiredSchemas);
        Assert.DoesNotContain(caller.Calls, call => call.Function == "function-two");
        RenderResult partial = error.Partial!;
        Assert.Equal(
            [
                new RenderEvent("Normal", "SelectComposition", "Successfully selected composition: buckets"),
                new RenderEvent("Warning", "ComposeResources", "cannot compose resources: pipeline step \"first\" returned a fatal result: oh no"),
                new RenderEvent("Normal", "ComposeResources", "Pipeline step \"first\": before"),
            ],
            partial.Events);
        Assert.Equal(("False", "ReconcileError"), StatusOf(partial, "Synced"));
        Assert.Equal("cannot compose resources: pipeline step \"first\" returned a fatal result: oh no", (string?)partial.Condition("Synced")["message"]);
        Assert.Equal(("False", "Creating"), StatusOf(partial, "DatabaseReady"));
        Assert.Equal(("Unknown", "FatalError"), StatusOf(partial, "BucketReady"));
        Assert.DoesNotContain("NotYours", partial.CompositeResource.ToJsonString(), StringComparison.Ordinal);

        static (string?, string?) StatusOf(RenderResult result, string type) => ((string?)result.Condition(type)["status"], (string?)result.Condition(type)["reason"]);
    }

    [Fact]
    public async Task A_context_that_is_too_deep_is_an_error_like_others()
    {
        RenderException error = await (RenderCase.Request with { Context = RenderCase.Deep() }).FailAsync((_, _) => { });

        Assert.Equal("ObjectTooDeep", error.ErrorId);
        Assert.NotNull(error.Partial);
    }

    [Fact]
    public async Task Results_become_events_with_their_step()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) => response.Results.Add(
        [
            new Result { Severity = Severity.Normal, Message = "A normal result" },
            new Result { Severity = Severity.Warning, Message = "A warning" },
            new Result { Severity = Severity.Unspecified, Message = "Something new" },
            new Result { Severity = Severity.Normal, Message = "All set", Reason = "SomeReason", Target = Target.CompositeAndClaim },
            new Result { Severity = Severity.Warning, Message = "No reason", Reason = "" },
        ]));

        Assert.Equal(
            [
                new RenderEvent("Normal", "SelectComposition", "Successfully selected composition: buckets"),
                new RenderEvent("Normal", "ComposeResources", "Pipeline step \"one\": A normal result"),
                new RenderEvent("Warning", "ComposeResources", "Pipeline step \"one\": A warning"),
                new RenderEvent("Warning", "ComposeResources", "Pipeline step \"one\" returned a result of unknown severity (assuming warning): Something new"),
                new RenderEvent("Normal", "SomeReason", "Pipeline step \"one\": All set"),
                new RenderEvent("Warning", "ComposeResources", "Pipeline step \"one\": No reason"),
            ],
            result.Events);
        Assert.Equal("True", (string?)result.Condition("Synced")["status"]);
    }

    [Theory]
    [InlineData(300L, 60L, 60L)]
    [InlineData(0L, 60L, 60L)]
    [InlineData(60L, 0L, 60L)]
    [InlineData(0L, 0L, null)]
    [InlineData(-5L, 7L, 7L)]
    public async Task The_shortest_time_to_live_counts(long first, long second, long? expected)
    {
        ScriptedCaller caller = ScriptedCaller.With((_, response) => response.Meta = new ResponseMeta { Ttl = new Duration { Seconds = first } })
            .Add("function-two", (_, response) => response.Meta = new ResponseMeta { Ttl = new Duration { Seconds = second } });

        RenderResult result = await (RenderCase.Request with { Composition = TwoSteps }).RenderAsync(caller);

        Assert.Equal(expected is { } seconds ? TimeSpan.FromSeconds(seconds) : null, result.TimeToLive);
    }

    [Fact]
    public async Task A_time_to_live_beyond_all_time_does_no_harm()
    {
        RenderResult result = await RenderCase.Request.RenderAsync(
            (_, response) => response.Meta = new ResponseMeta { Ttl = new Duration { Seconds = long.MaxValue, Nanos = int.MaxValue } });

        Assert.True(result.TimeToLive > TimeSpan.FromDays(365));
    }
}
