using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class ConditionsTests
{
    [Theory]
    [InlineData("cat", "Unready resources: cat")]
    [InlineData("dog,cat", "Unready resources: cat, dog")]
    [InlineData("dog,cat,pig", "Unready resources: cat, dog, and pig")]
    [InlineData("snake,elephant,cow,cat", "Unready resources: cat, cow, elephant, and 1 more")]
    public async Task Unready_resources_keep_the_composite_resource_from_being_ready(string unready, string message)
    {
        string[] names = unready.Split(',');

        RenderResult result = await RenderCase.Request.RenderAsync((_, response) =>
        {
            response.Desired.Resources["aardvark"] = RenderCase.Thing(ready: Ready.True);
            foreach (string name in names)
            {
                response.Desired.Resources[name] = RenderCase.Thing(ready: name == "cat" ? Ready.Unspecified : Ready.False);
            }
        });

        JsonObject ready = result.Condition("Ready");
        Assert.Equal(("False", "Creating", message), ((string?)ready["status"], (string?)ready["reason"], (string?)ready["message"]));
        Assert.Equal("True", (string?)result.Condition("Synced")["status"]);
        Assert.Equal(
            names.Order(StringComparer.Ordinal).Select(name => new RenderEvent("Normal", "ComposeResources", $"Composed resource \"{name}\" is not yet ready")),
            result.Events.Skip(1));
    }

    [Theory]
    [InlineData(Ready.True, Ready.Unspecified, "True", "Available")]
    [InlineData(Ready.False, Ready.Unspecified, "False", "Creating")]
    [InlineData(Ready.False, Ready.True, "True", "Available")]
    [InlineData(Ready.True, Ready.False, "False", "Creating")]
    internal async Task What_functions_say_of_the_composite_resource_counts_more_than_its_parts(Ready part, Ready whole, string status, string reason)
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) =>
        {
            response.Desired.Resources["a"] = RenderCase.Thing(ready: part);
            response.Desired.Composite = new Resource { Ready = whole };
        });

        JsonObject ready = result.Condition("Ready");
        Assert.Equal((status, reason), ((string?)ready["status"], (string?)ready["reason"]));
        Assert.Equal(whole == Ready.Unspecified && part == Ready.False, ready["message"] is not null);
    }

    [Fact]
    public async Task Functions_set_conditions_but_not_those_of_the_controller()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) =>
        {
            response.Conditions.Add(new Condition { Type = "DatabaseReady", Status = Status.ConditionTrue, Reason = "Available", Message = "It is there.", Target = Target.CompositeAndClaim });
            response.Conditions.Add(new Condition { Type = "Guess", Status = Status.ConditionUnspecified, Reason = "Why" });
            foreach (string type in (string[])["Ready", "Synced", "Healthy", "UpToDate", "Responsive"])
            {
                response.Conditions.Add(new Condition { Type = type, Status = Status.ConditionFalse, Reason = "NotYours" });
            }
        });

        RenderCase.AssertJson(
            """
            [
              {"type": "Responsive", "status": "True", "reason": "WatchCircuitClosed", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "DatabaseReady", "status": "True", "reason": "Available", "message": "It is there.", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "Guess", "status": "Unknown", "reason": "Why", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "Synced", "status": "True", "reason": "ReconcileSuccess", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "Ready", "status": "True", "reason": "Available", "lastTransitionTime": "2024-01-01T00:00:00Z"}
            ]
            """,
            result.CompositeResource["status"]!["conditions"]);
        Assert.Null(result.CompositeResource["status"]!["claimConditionTypes"]);
    }

    [Fact]
    public async Task Conditions_for_the_claim_of_a_legacy_resource_are_listed_once()
    {
        RenderResult result = await (RenderCase.Request with { CompositeResourceDefinition = RenderCase.Definition() }).RenderAsync((_, response) =>
        {
            response.Desired.Composite = RenderCase.Desired("""{"status": {"claimConditionTypes": ["Kept"]}}""");
            response.Conditions.Add(new Condition { Type = "Bucket", Status = Status.ConditionTrue, Reason = "A", Target = Target.CompositeAndClaim });
            response.Conditions.Add(new Condition { Type = "Bucket", Status = Status.ConditionFalse, Reason = "B", Target = Target.CompositeAndClaim });
            response.Conditions.Add(new Condition { Type = "Internal", Status = Status.ConditionTrue, Reason = "C", Target = Target.Composite });
            response.Conditions.Add(new Condition { Type = "Ready", Status = Status.ConditionTrue, Reason = "D", Target = Target.CompositeAndClaim });
        });

        RenderCase.AssertJson("""["Kept", "Bucket"]""", result.CompositeResource["status"]!["claimConditionTypes"]);
        Assert.Equal("B", (string?)result.Condition("Bucket")["reason"]);
    }

    [Fact]
    public async Task Conditions_that_are_there_stay_and_are_updated_in_their_place()
    {
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """
                , "status": {"gone": true, "conditions": [
                  {"type": "Ready", "status": "False", "reason": "Creating", "message": "Unready resources: a", "lastTransitionTime": "2020-02-02T02:02:02Z"},
                  {"type": "Database", "status": "True", "reason": "Available", "lastTransitionTime": "2020-02-02T02:02:02Z"},
                  {"type": "Bucket", "status": "False", "reason": "Creating", "lastTransitionTime": "2020-02-02T02:02:02Z"}
                ]}
                """),
        };

        RenderResult result = await request.RenderAsync((_, response) =>
            response.Conditions.Add(new Condition { Type = "Bucket", Status = Status.ConditionTrue, Reason = "Available" }));

        RenderCase.AssertJson(
            """
            {"conditions": [
              {"type": "Ready", "status": "True", "reason": "Available", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "Database", "status": "True", "reason": "Available", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "Bucket", "status": "True", "reason": "Available", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "Responsive", "status": "True", "reason": "WatchCircuitClosed", "lastTransitionTime": "2024-01-01T00:00:00Z"},
              {"type": "Synced", "status": "True", "reason": "ReconcileSuccess", "lastTransitionTime": "2024-01-01T00:00:00Z"}
            ]}
            """,
            result.CompositeResource["status"]);
    }

    [Fact]
    public async Task Of_the_desired_composite_resource_only_the_status_counts()
    {
        RenderResult result = await RenderCase.Request.RenderAsync((_, response) => response.Desired.Composite = RenderCase.Desired("""
            {
              "apiVersion": "other.org/v1", "kind": "Other", "metadata": {"name": "other", "labels": {"a": "b"}}, "spec": {"region": "eu"},
              "status": {"size": 1, "conditions": [{"type": "Custom", "status": "True", "reason": "Mine"}]}
            }
            """));

        Assert.Equal("XBucket", result.CompositeResource.Kind());
        RenderCase.AssertJson("""{"name": "my-bucket"}""", result.CompositeResource["metadata"]);
        RenderCase.AssertJson("""{"crossplane": {"resourceRefs": []}}""", result.CompositeResource["spec"]);
        Assert.Equal(1, (long)result.CompositeResource["status"]!["size"]!);
        Assert.Equal("Mine", (string?)result.Condition("Custom")["reason"]);
    }

    [Theory]
    [InlineData("""{"status": 5}""")]
    [InlineData("""{"status": {"conditions": {}}}""")]
    public async Task A_status_that_is_none_is_refused(string desired)
    {
        RenderException error = await RenderCase.Request.FailAsync((_, response) => response.Desired.Composite = RenderCase.Desired(desired));

        Assert.Equal("DesiredCompositeInvalid", error.ErrorId);
    }

    [Fact]
    public async Task A_composition_that_was_selected_before_is_no_event()
    {
        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"crossplane": {"compositionRef": {"name": "buckets"}}} """),
        }).RenderAsync((_, _) => { });

        Assert.Empty(result.Events);
    }

    [Fact]
    public async Task A_paused_resource_is_left_alone()
    {
        var caller = new ScriptedCaller();

        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(""", "generation": 2, "annotations": {"crossplane.io/paused": "true"} """, """, "spec": {"region": "eu"} """),
            ObservedResources = [RenderCase.Observed("a", "thing-a")],
        }).RenderAsync(caller);

        Assert.Empty(caller.Calls);
        Assert.Empty(result.DeletedResources);
        Assert.Equal([new RenderEvent("Normal", "ReconciliationPaused", "Reconciliation is paused via the pause annotation")], result.Events);
        Assert.Equal("ReconcilePaused", (string?)result.Condition("Synced")["reason"]);
        Assert.Equal(2, (long)result.Condition("Synced")["observedGeneration"]!);
        Assert.Equal("eu", (string?)result.CompositeResource["spec"]!["region"]);
    }

    [Fact]
    public async Task Any_other_value_of_the_annotation_pauses_nothing()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });

        await (RenderCase.Request with { CompositeResource = RenderCase.Composite(""", "annotations": {"crossplane.io/paused": "false"} """) }).RenderAsync(caller);

        Assert.Single(caller.Calls);
    }

    [Fact]
    public async Task A_resource_that_goes_composes_nothing()
    {
        var caller = new ScriptedCaller();

        RenderResult result = await (RenderCase.Request with { CompositeResource = RenderCase.Composite(""", "deletionTimestamp": "2025-01-01T00:00:00Z" """) }).RenderAsync(caller);

        Assert.Empty(caller.Calls);
        Assert.Equal("Deleting", (string?)result.Condition("Ready")["reason"]);
        Assert.Equal("ReconcileSuccess", (string?)result.Condition("Synced")["reason"]);
    }

    [Theory]
    [InlineData("t1", null, true)]
    [InlineData("t1", "t0", true)]
    [InlineData("t1", "t1", false)]
    public async Task A_request_to_reconcile_is_noted_once(string token, string? handled, bool isNew)
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });

        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(
                $$""", "annotations": {"crossplane.io/reconcile-requested-at": "{{token}}"} """,
                handled is null ? "" : $$""", "status": {"lastHandledReconcileAt": "{{handled}}"} """),
        }).RenderAsync(caller);

        Assert.Equal(isNew, result.Events.Contains(new RenderEvent("Normal", "ReconcileRequestHandled", "Handling reconcile request")));
        Assert.Equal(token, caller.Calls[0].Request.Observed.Composite.Resource_.Fields["status"].StructValue.Fields["lastHandledReconcileAt"].StringValue);
    }

    [Fact]
    public async Task When_composing_fails_other_than_by_a_function_what_functions_said_is_dropped()
    {
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "status": {"conditions": [{"type": "Database", "status": "True", "reason": "Available"}]} """),
        };

        RenderException error = await request.FailAsync((_, response) =>
        {
            response.Desired.Resources["a"] = new Resource();
            response.Results.Add(new Result { Severity = Severity.Normal, Message = "lost" });
            response.Conditions.Add(new Condition { Type = "Database", Status = Status.ConditionTrue, Reason = "Lost" });
        });

        Assert.Equal(2, error.Partial!.Events.Count);
        Assert.Equal("Warning", error.Partial.Events[1].Type);
        Assert.StartsWith("cannot compose resources: ", error.Partial.Events[1].Message, StringComparison.Ordinal);
        Assert.Equal(("Unknown", "FatalError"), ((string?)error.Partial.Condition("Database")["status"], (string?)error.Partial.Condition("Database")["reason"]));
        Assert.Equal("ReconcileError", (string?)error.Partial.Condition("Synced")["reason"]);
    }

    [Fact]
    public async Task Only_the_condition_from_before_composing_tells_the_generation()
    {
        RenderResult result = await (RenderCase.Request with { CompositeResource = RenderCase.Composite(""", "generation": 7 """) }).RenderAsync((_, response) =>
            response.Conditions.Add(new Condition { Type = "Bucket", Status = Status.ConditionTrue, Reason = "Available" }));

        Assert.Equal(7, (long)result.Condition("Responsive")["observedGeneration"]!);
        Assert.All((string[])["Bucket", "Synced", "Ready"], type => Assert.Null(result.Condition(type)["observedGeneration"]));
    }

    [Fact]
    public async Task Conditions_of_the_composite_resource_have_Crossplanes_fields_only()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, response) => response.Desired.Composite = RenderCase.Desired(
            """{"status": {"conditions": [{"type": "Mine", "status": "True", "message": "m", "mine": 1}]}}"""));

        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """
                , "status": {"conditions": [{"type": "Old", "status": "True", "observedGeneration": 3, "lastTransitionTime": "2020-02-02T02:02:02Z", "severity": "low"}]}
                """),
        }).RenderAsync(caller);

        const string Old = """{"type": "Old", "status": "True", "reason": "", "observedGeneration": 3, "lastTransitionTime": """;
        RenderCase.AssertJson(Old + "\"2024-01-01T00:00:00Z\"}", result.Condition("Old"));
        RenderCase.AssertJson("""{"type": "Mine", "status": "True", "reason": "", "message": "m", "lastTransitionTime": "2024-01-01T00:00:00Z"}""", result.Condition("Mine"));
        RenderCase.AssertJson(
            Old + "\"2020-02-02T02:02:02Z\"}",
            StructConverter.ToObject(caller.Calls[0].Request.Observed.Composite.Resource_)["status"]!["conditions"]![0]);
    }

    [Fact]
    public async Task A_resource_that_was_paused_is_synced_again()
    {
        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """
                , "status": {"conditions": [{"type": "Synced", "status": "False", "reason": "ReconcilePaused", "message": "Paused.", "lastTransitionTime": "2020-02-02T02:02:02Z"}]}
                """),
        }).RenderAsync((_, _) => { });

        RenderCase.AssertJson(
            """{"type": "Synced", "status": "True", "reason": "ReconcileSuccess", "lastTransitionTime": "2024-01-01T00:00:00Z"}""",
            result.Condition("Synced"));
    }

    [Fact]
    public async Task Conditions_for_the_claim_are_listed_also_when_a_later_step_fails()
    {
        RenderRequest request = RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """
                , "status": {"claimConditionTypes": ["Database"], "conditions": [{"type": "Database", "status": "True", "reason": "Available"}]}
                """),
            Composition = RenderCase.CompositionOf("""[{"step": "a", "functionRef": {"name": "function-one"}}, {"step": "b", "functionRef": {"name": "function-two"}}]"""),
            CompositeResourceDefinition = RenderCase.Definition(),
        };
        ScriptedCaller caller = ScriptedCaller.With((_, response) =>
        {
            response.Conditions.Add(new Condition { Type = "Internal", Status = Status.ConditionTrue, Reason = "Done" });
            response.Conditions.Add(new Condition { Type = "Bucket", Status = Status.ConditionTrue, Reason = "Available", Target = Target.CompositeAndClaim });
            response.Results.Add(new Result { Severity = Severity.Normal, Message = "a bucket", Reason = "Bucket", Target = Target.CompositeAndClaim });
        }).Add("function-two", (_, response) => response.Results.Add(new Result { Severity = Severity.Fatal, Message = "no" }));

        RenderException error = await Assert.ThrowsAsync<RenderException>(() => request.RenderAsync(caller));

        Assert.Equal("b", error.TargetObject);
        Assert.Equal(
            [
                new RenderEvent("Normal", "SelectComposition", "Successfully selected composition: buckets"),
                new RenderEvent("Warning", "ComposeResources", "cannot compose resources: pipeline step \"b\" returned a fatal result: no"),
                new RenderEvent("Normal", "Bucket", "Pipeline step \"a\": a bucket"),
            ],
            error.Partial!.Events);
        RenderCase.AssertJson("""["Database", "Bucket"]""", error.Partial.CompositeResource["status"]!["claimConditionTypes"]);
        Assert.Equal(
            ["Database Unknown", "Responsive True", "Synced False", "Internal True", "Bucket True"],
            error.Partial.CompositeResource["status"]!["conditions"]!.AsArray().Select(condition => $"{condition!["type"]} {condition["status"]}"));
    }

    [Fact]
    public async Task Another_composition_takes_the_place_of_the_one_that_was_selected()
    {
        ScriptedCaller caller = ScriptedCaller.With((_, _) => { });

        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"crossplane": {"compositionRef": {"name": "old"}}} """),
        }).RenderAsync(caller);

        Assert.Equal([new RenderEvent("Normal", "SelectComposition", "Successfully selected composition: buckets")], result.Events);
        RenderCase.AssertJson(
            """{"crossplane": {"compositionRef": {"name": "buckets"}}}""",
            StructConverter.ToObject(caller.Calls[0].Request.Observed.Composite.Resource_)["spec"]);
    }
}
