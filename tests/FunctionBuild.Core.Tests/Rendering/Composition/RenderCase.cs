using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

/// <summary>What the tests render: a bucket of the team's, unless they say otherwise.</summary>
internal static class RenderCase
{
    public const string Uid = "5f0c7a1e-0000-4000-8000-000000000001";

    public static RenderRequest Request { get; } = new() { CompositeResource = Composite(), Composition = Composition() };

    public static JsonObject Json(string text) => (JsonObject)JsonNode.Parse(text)!;

    public static JsonObject Composite(string metadata = "", string more = "") =>
        Json($$"""{"apiVersion": "example.org/v1", "kind": "XBucket", "metadata": {"name": "my-bucket", "uid": "{{Uid}}" {{metadata}}} {{more}}}""");

    public static JsonObject NamespacedComposite(string more = "") => Composite(""", "namespace": "team-a" """, more);

    /// <summary>A composition with one step, <c>one</c>, that runs <c>function-one</c>.</summary>
    public static JsonObject Composition(string step = "", string spec = "") => CompositionOf(
        $$"""[{"step": "one", "functionRef": {"name": "function-one"} {{step}}}]""", spec);

    public static JsonObject CompositionOf(string pipeline, string spec = "") =>
        Json($$"""
            {
              "apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition", "metadata": {"name": "buckets"},
              "spec": {"compositeTypeRef": {"apiVersion": "example.org/v1", "kind": "XBucket"}, "mode": "Pipeline", "pipeline": {{pipeline}} {{spec}}}
            }
            """);

    public static JsonObject Definition(string version = "v1", string? scope = null, string kind = "XBucket", string group = "example.org", string schema = "{}") =>
        Json($$"""
            {
              "apiVersion": "apiextensions.crossplane.io/{{version}}", "kind": "CompositeResourceDefinition", "metadata": {"name": "xbuckets.example.org"},
              "spec": {
                "group": "{{group}}", "names": {"kind": "{{kind}}", "plural": "xbuckets"} {{(scope is null ? "" : $", \"scope\": \"{scope}\"")}},
                "versions": [{"name": "v1", "served": true, "referenceable": true, "schema": {"openAPIV3Schema": {{schema}} } }]
              }
            }
            """);

    /// <summary>A composed resource that exists and that the composite resource controls.</summary>
    public static JsonObject Observed(string resourceName, string name, string metadata = "", string more = "") =>
        Json($$"""
            {
              "apiVersion": "things.org/v1", "kind": "Thing",
              "metadata": {
                "name": "{{name}}", "annotations": {"crossplane.io/composition-resource-name": "{{resourceName}}"},
                "ownerReferences": [{"apiVersion": "example.org/v1", "kind": "XBucket", "name": "my-bucket", "uid": "{{Uid}}", "controller": true}] {{metadata}}
              } {{more}}
            }
            """);

    public static JsonObject Secret(string name, string @namespace, string entries) =>
        Json($$"""{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{name}}", "namespace": "{{@namespace}}"}, {{entries}}}""");

    /// <summary>An object that is deeper than a function may be given.</summary>
    public static JsonObject Deep()
    {
        JsonObject deep = [];
        for (int depth = 0; depth < StructConverter.MaxDepth; depth++)
        {
            deep = new JsonObject { ["in"] = deep };
        }

        return deep;
    }

    public static Struct Struct(string text) => StructConverter.ToStruct(Json(text));

    public static Resource Desired(string text, Ready ready = Ready.Unspecified) => new() { Resource_ = Struct(text), Ready = ready };

    public static Resource Thing(string metadata = "{}", Ready ready = Ready.Unspecified) =>
        Desired($$"""{"apiVersion": "things.org/v1", "kind": "Thing", "metadata": {{metadata}}, "spec": {"size": 3} }""", ready);

    public static Task<RenderResult> RenderAsync(this RenderRequest request, ScriptedCaller caller) =>
        CompositeRenderer.RenderAsync(request, caller, TestContext.Current.CancellationToken);

    public static Task<RenderResult> RenderAsync(this RenderRequest request, Action<RunFunctionRequest, RunFunctionResponse> script) =>
        request.RenderAsync(ScriptedCaller.With(script));

    public static async Task<RenderException> FailAsync(this RenderRequest request, Action<RunFunctionRequest, RunFunctionResponse> script) =>
        await Assert.ThrowsAsync<RenderException>(() => request.RenderAsync(script));

    /// <summary>The resource with a name in the pipeline.</summary>
    public static JsonObject Composed(this RenderResult result, string resourceName) =>
        Assert.Single(result.ComposedResources, resource => resource.Annotation("crossplane.io/composition-resource-name") == resourceName);

    public static JsonObject Condition(this RenderResult result, string type) =>
        Assert.Single(StatusConditions.Read(result.CompositeResource), condition => condition.Text("type") == type);

    public static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"Expected {JsonNode.Parse(expected)?.ToJsonString()}, but it is {actual?.ToJsonString()}");
}
