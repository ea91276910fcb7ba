using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Inputs;

namespace FunctionBuild.Core.Tests.Rendering.Inputs;

public sealed class YamlReaderTests
{
    [Theory]
    [InlineData("yes", "true")]
    [InlineData("On", "true")]
    [InlineData("n", "false")]
    [InlineData("FALSE", "false")]
    [InlineData("yEs", "\"yEs\"")]
    [InlineData("", "null")]
    [InlineData("~", "null")]
    [InlineData("NULL", "null")]
    [InlineData("12", "12")]
    [InlineData("+12", "12")]
    [InlineData("1_000", "1000")]
    [InlineData("010", "8")]
    [InlineData("0o10", "8")]
    [InlineData("08", "8")]
    [InlineData("0x1f", "31")]
    [InlineData("-0x10", "-16")]
    [InlineData("0b101", "5")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("9223372036854775808", "9.223372036854776E+18")]
    [InlineData("1.5", "1.5")]
    [InlineData(".5", "0.5")]
    [InlineData("1e3", "1000")]
    [InlineData("1e999", "\"1e999\"")]
    [InlineData("1.2.3", "\"1.2.3\"")]
    [InlineData("10Gi", "\"10Gi\"")]
    [InlineData("12:30:45", "\"12:30:45\"")]
    [InlineData("2024-01-02", "\"2024-01-02\"")]
    [InlineData("2024-01-01T00:00:00Z", "\"2024-01-01T00:00:00Z\"")]
    [InlineData("'yes'", "\"yes\"")]
    [InlineData("\"12\"", "\"12\"")]
    [InlineData("!!str 12", "\"12\"")]
    [InlineData("!!float 12", "12")]
    [InlineData("! 12", "\"12\"")]
    [InlineData("!mine 12", "\"12\"")]
    [InlineData("!!binary aGVsbG8=", "\"hello\"")]
    [InlineData("|-\n  1", "\"1\"")]
    public void A_scalar_means_what_it_means_to_Kubernetes(string yaml, string expected)
    {
        JsonNode? value = Assert.Single(YamlReader.Read($"k: {yaml}\n", "a.yaml")).AsObject()["k"];

        Assert.Equal(expected, value?.ToJsonString() ?? "null");
    }

    [Fact]
    public void Keys_become_strings()
    {
        JsonObject read = YamlReader.Read("1: a\ntrue: b\n1.5: c\n'2': d\n", "a.yaml")[0].AsObject();

        Assert.Equal(["1", "true", "1.5", "2"], read.Select(p => p.Key));
    }

    [Fact]
    public void A_stream_gives_its_documents_with_number_and_line()
    {
        const string Stream = "# a comment\n---\na: 1\n---\n# nothing\n---\n\nb: 2\n...\n---\n- c\n";

        IReadOnlyList<InputDocument> documents = YamlReader.Read(Stream, "a.yaml");

        Assert.Equal(["""{"a":1}""", """{"b":2}""", """["c"]"""], documents.Select(d => d.Content.ToJsonString()));
        Assert.Equal([(1, 3), (3, 8), (4, 11)], documents.Select(d => (d.Number, d.Line)));
        Assert.Equal("a.yaml, document 3 (line 8)", documents[1].Place);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("---\n---\n")]
    [InlineData("# only a comment\n")]
    [InlineData("null\n")]
    public void A_stream_without_content_has_no_documents(string text) => Assert.Empty(YamlReader.Read(text, "a.yaml"));

    [Fact]
    public void Json_is_read_with_its_escapes_tabs_and_slashes()
    {
        InputDocument document = Assert.Single(YamlReader.Read("\n{\t\"a\": \"\\ud83d\\ude00\\/\",\n\t\"b\": [1, 1.0, 2.5, 1e2, null, 9223372036854775808]}", "a.json"));

        Assert.Equal("😀/", document.AsObject()["a"]!.GetValue<string>());
        Assert.Equal(1, document.AsObject()["b"]![0]!.GetValue<long>());
        Assert.Equal(2.5, document.AsObject()["b"]![2]!.GetValue<double>());
        Assert.Equal(2, document.Line);
    }

    [Fact]
    public void Yaml_in_flow_style_is_not_taken_for_bad_json() =>
        Assert.Equal("""{"a":["b","c"]}""", YamlReader.Read("{a: [b, 'c']}", "a.yaml")[0].Content.ToJsonString());

    [Fact]
    public void Anchors_aliases_and_merges_are_resolved_and_a_mappings_own_keys_win()
    {
        const string Text = """
            base: &base {a: 1, b: {c: 2}}
            other: &other {a: 3, d: 4}
            one: {<<: *base, b: mine}
            late: {b: mine, <<: *base}
            list: {<<: [*base, *other]}
            copy: *base
            """;

        JsonObject read = YamlReader.Read(Text, "a.yaml")[0].AsObject();

        Assert.Equal("""{"b":"mine","a":1}""", read["one"]!.ToJsonString());
        Assert.Equal("""{"b":"mine","a":1}""", read["late"]!.ToJsonString());
        Assert.Equal("""{"a":1,"b":{"c":2},"d":4}""", read["list"]!.ToJsonString());
        Assert.Equal("""{"a":1,"b":{"c":2}}""", read["copy"]!.ToJsonString());
    }

    [Theory]
    [InlineData("a: 1\n---\nb: 1\nb: 2\n", "DuplicateKey", "a.yaml, document 2, line 4")]
    [InlineData("{\"a\": 1,\n\"a\": 2}", "DuplicateKey", "a.yaml, document 1, line 2")]
    [InlineData("1: a\n'1': b\n", "DuplicateKey", "line 2")]
    [InlineData("a: [1, 2\nb: 3\n", "InvalidYaml", "a.yaml, document 1, line")]
    [InlineData("a: 1\n\tb: 2\n", "InvalidYaml", "line 2")]
    [InlineData("a: *nowhere\n", "InvalidYaml", "nowhere")]
    [InlineData("a: .nan\n", "InvalidYaml", "line 1")]
    [InlineData("? [a]\n: b\n", "InvalidYaml", "a list")]
    [InlineData("a: {<<: 1}\n", "InvalidYaml", "merges")]
    [InlineData("a: !!int x\n", "InvalidYaml", "!!int")]
    [InlineData("a: !!binary '*'\n", "InvalidYaml", "Base64")]
    [InlineData("{\"a\": 1", "InvalidYaml", "document 1")]
    public void What_is_wrong_is_named_with_its_place(string text, string errorId, string expected)
    {
        var error = Assert.Throws<FunctionBuildException>(() => YamlReader.Read(text, "a.yaml"));

        Assert.Equal(errorId, error.ErrorId);
        Assert.Contains(expected, error.Message);
        Assert.Equal("a.yaml", error.TargetObject);
    }

    [Fact]
    public void A_document_that_means_billions_of_values_is_refused()
    {
        string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 12).Select(i =>
            $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

        Assert.Equal("DocumentTooLarge", Assert.Throws<FunctionBuildException>(() => YamlReader.Read(text, "a.yaml")).ErrorId);
    }

    [Fact]
    public void A_document_that_is_nested_without_end_is_refused()
    {
        Assert.Equal("DocumentTooLarge", Assert.Throws<FunctionBuildException>(() => YamlReader.Read("a: " + new string('[', 5000), "a.yaml")).ErrorId);
        Assert.Equal("DocumentTooLarge", Assert.Throws<FunctionBuildException>(() => YamlReader.Read(new string('[', 5000) + new string(']', 5000), "a.json")).ErrorId);
    }
}
