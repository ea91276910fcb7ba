using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tests.Oci;

public sealed class ImageConfigTests
{
    private static readonly Digest Base = Digest.Of("base"u8);
    private static readonly Digest Added = Digest.Of("added"u8);

    [Fact]
    public void A_config_tells_platform_layers_and_labels()
    {
        ImageConfig config = Parse($$$"""
            {"architecture":"arm","os":"windows","variant":"v7","os.version":"10.0.1","config":{"Labels":{"b":"2","a":"1"},"Entrypoint":["/f","x"]},"rootfs":{"type":"layers","diff_ids":["{{{Base}}}"]}}
            """);

        Assert.Equal(new Platform("windows", "arm", "v7", "10.0.1"), config.Platform);
        Assert.Equal([Base], config.DiffIds);
        Assert.Equal(["a", "b"], config.Labels.Keys);
        Assert.Equal(["/f", "x"], config.Entrypoint);
        Assert.Equal(Digest.Of(config.Json.Span), config.Digest);
        Assert.Equal(config.Json.Length, config.Size);
    }

    [Theory]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":null}}""")]
    [InlineData("""{"architecture":"amd64","os":"linux","variant":"","config":null,"rootfs":{"diff_ids":[]}}""")]
    public void Nothing_more_than_a_platform_is_enough(string json)
    {
        ImageConfig config = Parse(json);

        Assert.Equal(new Platform("linux", "amd64"), config.Platform);
        Assert.Empty(config.DiffIds);
        Assert.Empty(config.Labels);
        Assert.Empty(config.Entrypoint);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("[]", "object")]
    [InlineData("""{"os":"linux","os":"linux"}""", "JSON")]
    [InlineData("""{"os":"linux","rootfs":{"diff_ids":[]}}""", "architecture")]
    [InlineData("""{"architecture":"amd64","rootfs":{"diff_ids":[]}}""", "os")]
    [InlineData("""{"architecture":1,"os":"linux","rootfs":{"diff_ids":[]}}""", "architecture")]
    [InlineData("""{"architecture":"amd64","os":"linux"}""", "rootfs.diff_ids")]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":{}}""", "rootfs.diff_ids")]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":["sha256:1"]}}""", "rootfs.diff_ids[0]")]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]},"config":{"Labels":{"a":1}}}""", "label 'a'")]
    public void A_malformed_config_is_an_error_that_names_the_field(string json, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Appending_changes_nothing_but_layers_history_and_labels()
    {
        ImageConfig config = Parse($$$"""
            {
              "created": "2024-01-02T03:04:05.678900Z",
              "os": "linux", "architecture": "amd64",
              "moby.buildkit.buildinfo.v1": "eyJ4IjoxfQ==",
              "number": 1.50, "big": 123456789012345678901234567890, "text": "é\u003c\u2028😀",
              "config": { "User": "65532", "Labels": { "z": "old", "k": "v" }, "Env": ["A=b"], "x-unknown": [null, true, {}] },
              "rootfs": { "type": "layers", "diff_ids": ["{{{Base}}}"] },
              "history": [ { "created_by": "COPY" }, { "created_by": "ENV", "empty_layer": true } ]
            }
            """);

        ImageConfig appended = config.Append([Added], "functionbuild", new Dictionary<string, string> { ["z"] = "new", ["a"] = "1" });

        Assert.Equal(
            $$$"""{"created":"2024-01-02T03:04:05.678900Z","os":"linux","architecture":"amd64","moby.buildkit.buildinfo.v1":"eyJ4IjoxfQ==","number":1.50,"big":123456789012345678901234567890,"text":"é<\u2028😀","config":{"User":"65532","Labels":{"a":"1","k":"v","z":"new"},"Env":["A=b"],"x-unknown":[null,true,{}]},"rootfs":{"type":"layers","diff_ids":["{{{Base}}}","{{{Added}}}"]},"history":[{"created_by":"COPY"},{"created_by":"ENV","empty_layer":true},{"created_by":"functionbuild"}]}""",
            Encoding.UTF8.GetString(appended.Json.Span).Replace("\\uD83D\\uDE00", "😀", StringComparison.Ordinal));
        Assert.Equal([Base, Added], appended.DiffIds);
        Assert.Equal("new", appended.Labels["z"]);
    }

    [Fact]
    public void Appending_makes_what_is_missing()
    {
        ImageConfig appended = Parse("""{"architecture":"amd64","os":"linux","config":null,"rootfs":{"type":"layers","diff_ids":null}}""")
            .Append([Added], "functionbuild", new Dictionary<string, string> { ["a"] = "1" });

        Assert.Equal(
            $$$"""{"architecture":"amd64","os":"linux","config":{"Labels":{"a":"1"}},"rootfs":{"type":"layers","diff_ids":["{{{Added}}}"]}}""",
            Encoding.UTF8.GetString(appended.Json.Span));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[{},{}]")]
    [InlineData("[{\"empty_layer\":true}]")]
    [InlineData("{}")]
    [InlineData("null")]
    public void A_history_that_does_not_match_the_layers_is_left_as_it_is(string history)
    {
        JsonNode? appended = AppendTo(history);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(history), appended));
    }

    [Theory]
    [InlineData("[null]")]
    [InlineData("[\"text\"]")]
    [InlineData("[{\"empty_layer\":\"yes\"}]")]
    [InlineData("[{\"empty_layer\":false}]")]
    public void A_history_with_an_entry_for_each_layer_gets_one_more(string history) =>
        Assert.Equal(2, AppendTo(history)!.AsArray().Count);

    private static JsonNode? AppendTo(string history)
    {
        ImageConfig config = Parse($$"""{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":["{{Base}}"]},"history":{{history}}}""");
        return JsonNode.Parse(config.Append([Added], "functionbuild", new Dictionary<string, string>()).Json.Span)!["history"];
    }

    private static ImageConfig Parse(string json) => ImageConfig.Parse(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void What_an_image_says_of_its_process_is_read()
    {
        var config = ImageConfig.Parse("""
            {"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[]},
             "config":{"Entrypoint":["/f"],"Cmd":["--debug","x"],"Env":["A=b","C="],"User":"65532:65532","WorkingDir":"/app"}}
            """u8.ToArray());

        Assert.Equal(["/f"], config.Entrypoint);
        Assert.Equal(["--debug", "x"], config.Cmd);
        Assert.Equal(["A=b", "C="], config.Env);
        Assert.Equal("65532:65532", config.User);
        Assert.Equal("/app", config.WorkingDir);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"config\":null")]
    [InlineData(",\"config\":{\"Cmd\":null,\"Env\":null,\"User\":null,\"WorkingDir\":null}")]
    public void What_an_image_does_not_say_of_its_process_is_empty(string process)
    {
        var config = ImageConfig.Parse(System.Text.Encoding.UTF8.GetBytes("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[]}" + process + "}"));

        Assert.Empty(config.Entrypoint);
        Assert.Empty(config.Cmd);
        Assert.Empty(config.Env);
        Assert.Empty(config.User);
        Assert.Empty(config.WorkingDir);
    }
}
