using FunctionBuild.Core.Rendering.Calls;
using Google.Protobuf;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

public sealed class SelectorsTests
{
    [Theory]
    [InlineData("""{"requirementName":"r","apiVersion":"v1","kind":"K"}""", """{ "apiVersion": "v1", "kind": "K" }""")]
    [InlineData("""{"apiVersion":"v1","kind":"K","name":"n","namespace":"s"}""", """{ "apiVersion": "v1", "kind": "K", "matchName": "n", "namespace": "s" }""")]
    [InlineData("""{"apiVersion":"v1","kind":"K","matchLabels":{"a":"b","c":""}}""", """{ "apiVersion": "v1", "kind": "K", "matchLabels": { "labels": { "a": "b", "c": "" } } }""")]
    [InlineData("""{"apiVersion":"v1","kind":"K","matchLabels":{}}""", """{ "apiVersion": "v1", "kind": "K", "matchLabels": { } }""")]
    [InlineData("""{"apiVersion":"v1","kind":"K","name":"n","matchLabels":{"a":"b"}}""", """{ "apiVersion": "v1", "kind": "K", "matchName": "n" }""")]
    [InlineData("""{}""", "{ }")]
    public void A_steps_requirement_becomes_the_protocols_selector(string requirement, string expected) =>
        Assert.Equal(expected, JsonFormatter.Default.Format(Selectors.OfResource(Json.Parse(requirement))));

    [Fact]
    public void A_steps_schema_requirement_becomes_the_protocols_selector() =>
        Assert.Equal(
            """{ "apiVersion": "apps/v1", "kind": "Ship" }""",
            JsonFormatter.Default.Format(Selectors.OfSchema(Json.Parse("""{"requirementName":"r","apiVersion":"apps/v1","kind":"Ship"}"""))));

    [Fact]
    public void The_capabilities_are_all_that_the_protocol_knows() => Assert.Equal([1, 2, 3, 4, 5], Capabilities.Supported.Select(capability => (int)capability));
}
