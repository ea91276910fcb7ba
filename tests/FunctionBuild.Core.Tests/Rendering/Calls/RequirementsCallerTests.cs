using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Tests.Fixtures;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

public sealed class RequirementsCallerTests
{
    private static readonly ResourceSelector ToSettings = new() { ApiVersion = "v1", Kind = "ConfigMap", Namespace = "a", MatchName = "settings" };
    private static readonly ResourceSelector ToMissing = new() { ApiVersion = "v1", Kind = "ConfigMap", Namespace = "a", MatchName = "missing" };
    private static readonly ResourceSelector ToMissingToo = new() { ApiVersion = "v1", Kind = "ConfigMap", Namespace = "b", MatchName = "missing" };
    private static readonly SchemaSelector ToPod = new() { ApiVersion = "v1", Kind = "Pod" };

    private readonly RequiredResourceStore _resources = new(Json.Item("v1", "ConfigMap", "a", "settings"), Json.Item("v1", "ConfigMap", "a", "more"));
    private readonly RequiredSchemaStore _schemas = new((JsonObject)JsonNode.Parse(
        """{"components":{"schemas":{"Pod":{"type":"object","x-kubernetes-group-version-kind":[{"group":"","version":"v1","kind":"Pod"}]}}}}""")!);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_requirements_a_function_is_called_once()
    {
        var function = new ScriptedCaller((_, _) => new RunFunctionResponse { Meta = new ResponseMeta { Tag = "only" } });

        RunFunctionResponse response = await Call(function, new RunFunctionRequest());

        Assert.Equal("only", response.Meta.Tag);
        Assert.Single(function.Requests);
        Assert.Empty(_resources.Requested);
    }

    [Fact]
    public async Task Empty_requirements_are_none()
    {
        var function = new ScriptedCaller((_, _) => new RunFunctionResponse { Requirements = new Requirements() });

        await Call(function, new RunFunctionRequest());

        Assert.Single(function.Requests);
    }

    [Fact]
    public async Task A_function_is_called_again_with_what_it_requires()
    {
        var function = new ScriptedCaller((request, _) => new RunFunctionResponse
        {
            Meta = new ResponseMeta { Tag = string.Join(',', request.RequiredResources.SelectMany(entry => Json.Names(entry.Value))) },
            Requirements = new Requirements { Resources = { ["s"] = ToSettings }, Schemas = { ["pod"] = ToPod } },
        });
        var request = new RunFunctionRequest { Meta = new RequestMeta { Tag = "t" }, Input = new Struct() };

        RunFunctionResponse response = await Call(function, request);

        Assert.Equal("a/settings", response.Meta.Tag);
        Assert.Equal(2, function.Requests.Count);
        Assert.Equal("object", function.Requests[1].RequiredSchemas["pod"].OpenapiV3.Fields["type"].StringValue);
        Assert.Equal("t", function.Requests[1].Meta.Tag);
        Assert.NotNull(function.Requests[1].Input);
        Assert.Empty(function.Requests[1].ExtraResources);
        Assert.Single(_resources.Requested);
        Assert.Single(_schemas.Requested);
        Assert.Empty(request.RequiredResources);
    }

    [Fact]
    public async Task An_older_function_is_given_extra_resources()
    {
        var function = new ScriptedCaller((_, _) => new RunFunctionResponse
        {
            Requirements = new Requirements { ExtraResources = { ["all"] = new ResourceSelector { ApiVersion = "v1", Kind = "ConfigMap", MatchLabels = new MatchLabels() } } },
        });

        await Call(function, new RunFunctionRequest());

        Assert.Equal(2, function.Requests.Count);
        Assert.Equal(["a/more", "a/settings"], Json.Names(function.Requests[1].ExtraResources["all"]));
        Assert.Empty(function.Requests[1].RequiredResources);
    }

    [Fact]
    public async Task What_is_not_found_is_there_without_objects()
    {
        var function = new ScriptedCaller((_, _) => new RunFunctionResponse
        {
            Requirements = new Requirements { Resources = { ["m"] = ToMissing }, Schemas = { ["none"] = new SchemaSelector { ApiVersion = "v1", Kind = "Nothing" } } },
        });

        await Call(function, new RunFunctionRequest());

        Assert.Empty(function.Requests[1].RequiredResources["m"].Items);
        Assert.Null(function.Requests[1].RequiredSchemas["none"].OpenapiV3);
    }

    [Fact]
    public async Task A_function_that_was_given_all_that_it_requires_is_called_once()
    {
        var function = new ScriptedCaller((_, _) => new RunFunctionResponse
        {
            Requirements = new Requirements { Resources = { ["s"] = ToSettings }, Schemas = { ["pod"] = ToPod } },
        });
        var request = new RunFunctionRequest
        {
            RequiredResources = { ["s"] = _resources.Fetch(ToSettings), ["unasked"] = _resources.Fetch(ToMissing) },
            RequiredSchemas = { ["pod"] = _schemas.Fetch(ToPod) },
        };

        await Call(function, request);

        Assert.Single(function.Requests);
    }

    [Fact]
    public async Task What_a_function_was_given_at_first_stays()
    {
        var function = new ScriptedCaller((_, _) => new RunFunctionResponse
        {
            Requirements = new Requirements { Resources = { ["m"] = ToMissing }, Schemas = { ["other"] = new SchemaSelector { ApiVersion = "v1", Kind = "Other" } } },
        });
        var request = new RunFunctionRequest
        {
            RequiredResources = { ["s"] = _resources.Fetch(ToSettings) },
            RequiredSchemas = { ["pod"] = _schemas.Fetch(ToPod) },
            ExtraResources = { ["old"] = _resources.Fetch(ToSettings) },
        };

        await Call(function, request);

        Assert.Equal(["m", "s"], function.Requests[1].RequiredResources.Keys.Order());
        Assert.Equal(["other", "pod"], function.Requests[1].RequiredSchemas.Keys.Order());
        Assert.Empty(function.Requests[1].ExtraResources);
    }

    [Fact]
    public async Task What_a_function_no_longer_requires_is_not_given_again()
    {
        var function = new ScriptedCaller((_, call) => new RunFunctionResponse
        {
            Requirements = new Requirements { Resources = { [call == 1 ? "first" : "second"] = ToSettings } },
        });

        await Call(function, new RunFunctionRequest());

        Assert.Equal(3, function.Requests.Count);
        Assert.Equal(["first"], function.Requests[1].RequiredResources.Keys);
        Assert.Equal(["second"], function.Requests[2].RequiredResources.Keys);
    }

    [Fact]
    public async Task Each_round_is_given_the_context_of_the_answer_before()
    {
        var function = new ScriptedCaller((request, call) => new RunFunctionResponse
        {
            Context = call == 2 ? null : new Struct { Fields = { ["call"] = Value.ForNumber(call) } },
            Requirements = new Requirements { Resources = { [call < 3 ? $"{call}" : "last"] = ToSettings } },
        });

        await Call(function, new RunFunctionRequest { Context = new Struct { Fields = { ["call"] = Value.ForNumber(0) } } });

        Assert.Equal([0d, 1d, null, 3d], function.Requests.Select(request => request.Context?.Fields["call"].NumberValue));
    }

    [Fact]
    public async Task A_fatal_result_ends_it()
    {
        var function = new ScriptedCaller((_, call) => new RunFunctionResponse
        {
            Results = { new Result { Severity = Severity.Fatal, Message = "no" } },
            Requirements = new Requirements { Resources = { [$"{call}"] = ToSettings } },
        });

        RunFunctionResponse response = await Call(function, new RunFunctionRequest());

        Assert.Equal("no", Assert.Single(response.Results).Message);
        Assert.Single(function.Requests);
        Assert.Empty(_resources.Requested);
    }

    [Fact]
    public async Task Requirements_that_settle_in_the_last_round_are_well()
    {
        var function = new ScriptedCaller((_, call) => new RunFunctionResponse
        {
            Requirements = new Requirements { Resources = { [$"{Math.Min(call, 5)}"] = ToSettings } },
        });

        await Call(function, new RunFunctionRequest());

        Assert.Equal(6, function.Requests.Count);
    }

    [Fact]
    public async Task Requirements_that_never_settle_are_an_error()
    {
        var function = new ScriptedCaller((_, call) => new RunFunctionResponse
        {
            Requirements = new Requirements { Resources = { [$"r{call}"] = ToSettings } },
        });

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => Call(function, new RunFunctionRequest()));

        Assert.Equal("FunctionRequirementsUnstable", e.ErrorId);
        Assert.Equal(6, function.Requests.Count);
        Assert.Contains("'function-a'", e.Message, StringComparison.Ordinal);
        Assert.Contains("'r6'", e.Message, StringComparison.Ordinal);
        Assert.Contains("5 rounds", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requirements_that_change_are_not_stable_even_if_they_find_the_same()
    {
        var function = new ScriptedCaller((_, call) => new RunFunctionResponse
        {
            Requirements = new Requirements { Resources = { ["s"] = call % 2 == 0 ? ToMissing : ToMissingToo } },
        });

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => Call(function, new RunFunctionRequest()));

        Assert.Equal("FunctionRequirementsUnstable", e.ErrorId);
    }

    [Fact]
    public async Task A_function_that_fails_is_its_own_error()
    {
        var function = new ScriptedCaller((_, _) => throw new FunctionBuildException("FunctionCallFailed", FaultKind.InvalidData, "boom"));

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => Call(function, new RunFunctionRequest()));

        Assert.Equal("boom", e.Message);
    }

    [Fact]
    public async Task A_schema_that_cannot_be_made_is_an_error_that_names_the_function_and_the_requirement()
    {
        var function = new ScriptedCaller((_, _) => new RunFunctionResponse
        {
            Requirements = new Requirements { Schemas = { ["wrong"] = new SchemaSelector { ApiVersion = "a/b/c", Kind = "X" } } },
        });

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => Call(function, new RunFunctionRequest()));

        Assert.Equal("ApiVersionInvalid", e.ErrorId);
        Assert.Contains("'function-a' requires 'wrong'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_works_over_the_wire()
    {
        await using FunctionServer server = await FunctionServer.Start(
            request => new RunFunctionResponse
            {
                Meta = new ResponseMeta { Tag = request.RequiredResources.TryGetValue("m", out Resources? none) ? $"{none.Items.Count}" : "absent" },
                Requirements = new Requirements { Resources = { ["s"] = ToSettings, ["m"] = ToMissing } },
            },
            FunctionVersions.V1Beta1);
        await using RunningFunction running = server.Running("function-a");
        await using var client = new FunctionClient([running]);

        RunFunctionResponse response = await new RequirementsCaller(client, _resources, _schemas).CallAsync("function-a", new RunFunctionRequest(), Cancellation);

        Assert.Equal("0", response.Meta.Tag);
        Assert.Equal(2, server.Requests.Count);
    }

    private Task<RunFunctionResponse> Call(IFunctionCaller function, RunFunctionRequest request) =>
        new RequirementsCaller(function, _resources, _schemas).CallAsync("function-a", request, Cancellation);
}
