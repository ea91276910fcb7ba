using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class ConnectionDetailsTests
{
    private const string Password = "\"data\": {\"password\": \"czNjcmV0\"}";

    [Fact]
    public async Task A_composed_resource_in_no_namespace_names_its_Secrets_namespace()
    {
        Resource seen = await SeenAsync(
            RenderCase.Composite(),
            RenderCase.Observed("a", "thing-a", more: """, "spec": {"writeConnectionSecretToRef": {"name": "conn", "namespace": "system"}} """),
            RenderCase.Secret("conn", "system", Password));

        Assert.Equal("s3cret", Assert.Single(seen.ConnectionDetails, entry => entry.Key == "password").Value.ToStringUtf8());
    }

    [Fact]
    public async Task A_composed_resource_in_a_namespace_has_its_Secret_there()
    {
        Resource seen = await SeenAsync(
            RenderCase.NamespacedComposite(),
            RenderCase.Observed("a", "thing-a", """, "namespace": "team-a" """, """, "spec": {"writeConnectionSecretToRef": {"name": "conn"}} """),
            RenderCase.Secret("conn", "team-a", Password),
            RenderCase.Secret("conn", "", "\"data\": {}"));

        Assert.Equal("s3cret", Assert.Single(seen.ConnectionDetails, entry => entry.Key == "password").Value.ToStringUtf8());
    }

    [Fact]
    public async Task No_reference_and_no_Secret_are_no_details()
    {
        Assert.Empty((await SeenAsync(RenderCase.Composite(), RenderCase.Observed("a", "thing-a"))).ConnectionDetails);
        Assert.Empty((await SeenAsync(
            RenderCase.Composite(),
            RenderCase.Observed("a", "thing-a", more: """, "spec": {"writeConnectionSecretToRef": {"name": "not-yet", "namespace": "system"}} """))).ConnectionDetails);
    }

    [Fact]
    public async Task A_Secret_that_cannot_be_read_is_an_error_that_does_not_tell_it()
    {
        RenderException error = await (RenderCase.Request with
        {
            ObservedResources = [RenderCase.Observed("a", "thing-a", more: """, "spec": {"writeConnectionSecretToRef": {"name": "conn", "namespace": "system"}} """)],
            RequiredResources = [RenderCase.Secret("conn", "system", "\"data\": {\"password\": \"hunter2!\"}")],
        }).FailAsync((_, _) => { });

        Assert.Equal("SecretInvalid", error.ErrorId);
        Assert.Contains("'system/conn'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_legacy_composite_resource_has_details_of_its_own()
    {
        JsonObject composite = RenderCase.Composite(more: """, "spec": {"writeConnectionSecretToRef": {"name": "conn", "namespace": "system"}} """);
        var legacy = ScriptedCaller.With((_, _) => { });
        var modern = ScriptedCaller.With((_, _) => { });
        RenderRequest request = RenderCase.Request with { CompositeResource = composite, RequiredResources = [RenderCase.Secret("conn", "system", Password)] };

        await (request with { CompositeResourceDefinition = RenderCase.Definition() }).RenderAsync(legacy);
        await request.RenderAsync(modern);

        Assert.Equal("s3cret", legacy.Calls[0].Request.Observed.Composite.ConnectionDetails["password"].ToStringUtf8());
        Assert.Empty(modern.Calls[0].Request.Observed.Composite.ConnectionDetails);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task The_composition_names_the_namespace_of_a_legacy_resources_Secret_when_the_resource_does_not(bool legacy, bool named)
    {
        var caller = ScriptedCaller.With((_, _) => { });

        await (RenderCase.Request with
        {
            Composition = RenderCase.Composition(spec: named ? """, "writeConnectionSecretsToNamespace": "system" """ : ""),
            CompositeResourceDefinition = legacy ? RenderCase.Definition() : null,
        }).RenderAsync(caller);

        JsonNode? reference = Core.Rendering.Objects.StructConverter.ToObject(caller.Calls[0].Request.Observed.Composite.Resource_)["spec"]!["writeConnectionSecretToRef"];
        RenderCase.AssertJson(legacy && named ? $$"""{"name": "{{RenderCase.Uid}}", "namespace": "system"}""" : "null", reference);
    }

    [Fact]
    public async Task A_legacy_resource_that_names_its_Secret_keeps_it()
    {
        var caller = ScriptedCaller.With((_, _) => { });

        await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"writeConnectionSecretToRef": {"name": "mine", "namespace": "here"}} """),
            Composition = RenderCase.Composition(spec: """, "writeConnectionSecretsToNamespace": "system" """),
            CompositeResourceDefinition = RenderCase.Definition(),
        }).RenderAsync(caller);

        var spec = caller.Calls[0].Request.Observed.Composite.Resource_.Fields["spec"].StructValue;
        Assert.Equal("mine", spec.Fields["writeConnectionSecretToRef"].StructValue.Fields["name"].StringValue);
    }

    [Fact]
    public async Task A_Secret_of_the_composite_resource_that_cannot_be_read_is_an_error_too()
    {
        RenderException error = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"writeConnectionSecretToRef": {"name": "conn", "namespace": "system"}} """),
            CompositeResourceDefinition = RenderCase.Definition(),
            RequiredResources = [RenderCase.Secret("conn", "system", "\"data\": {\"password\": \"hunter2!\"}")],
        }).FailAsync((_, _) => { });

        Assert.Equal("SecretInvalid", error.ErrorId);
    }

    [Fact]
    public async Task Details_that_functions_ask_for_are_published_nowhere()
    {
        RenderResult result = await (RenderCase.Request with
        {
            CompositeResource = RenderCase.Composite(more: """, "spec": {"writeConnectionSecretToRef": {"name": "conn", "namespace": "system"}} """),
            CompositeResourceDefinition = RenderCase.Definition(),
        }).RenderAsync((_, response) =>
        {
            response.Desired.Composite = new Resource();
            response.Desired.Composite.ConnectionDetails["password"] = Google.Protobuf.ByteString.CopyFromUtf8("s3cret");
        });

        Assert.Empty(result.ComposedResources);
        Assert.Equal(["SelectComposition"], result.Events.Select(item => item.Reason));
        Assert.Equal(["conditions"], result.CompositeResource["status"]!.AsObject().Select(field => field.Key));
    }

    private static async Task<Resource> SeenAsync(JsonObject composite, JsonObject observed, params JsonObject[] secrets)
    {
        var caller = ScriptedCaller.With((_, _) => { });
        await (RenderCase.Request with { CompositeResource = composite, ObservedResources = [observed], RequiredResources = secrets }).RenderAsync(caller);
        return caller.Calls[0].Request.Observed.Resources["a"];
    }
}
