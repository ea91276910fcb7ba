using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Inputs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Rendering.Inputs;

public sealed class InputReaderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_means_its_yaml_files_in_order_but_not_those_below()
    {
        Write("b.yaml", Object("b"));
        Write("a.yml", Object("a1") + "---\n" + Object("a2"));
        Write("c.json", """{"apiVersion": "v1", "kind": "Thing"}""");
        Write("below/d.yaml", Object("d"));

        Assert.Equal(["a1", "a2", "b"], await Names(InputSource.FromPath(_folder.Path)));
    }

    [Fact]
    public async Task A_list_stands_for_its_items()
    {
        Write("list.yaml", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: first}}\n- {apiVersion: v1, kind: B, metadata: {name: second}}\n");

        Assert.Equal(["first", "second"], await Names(InputSource.FromPath(_folder.Combine("list.yaml"))));
        Assert.Equal(["z"], await Names(InputSource.FromObject(new JsonArray(JsonNode.Parse("""{"apiVersion": "v1", "kind": "A", "metadata": {"name": "z"}}""")), "a list")));
    }

    [Theory]
    [InlineData("missing.yaml", null, "PathNotFound")]
    [InlineData("a.yaml", "kind: A\n", "NotAnObject")]
    [InlineData("a.yaml", "apiVersion: v1\nkind: 1\n", "NotAnObject")]
    [InlineData("a.yaml", "just text\n", "NotAnObject")]
    [InlineData("a.yaml", "a: [\n", "InvalidYaml")]
    [InlineData("a.yaml", "\u00FF", "InvalidYaml")]
    [InlineData("", "only a text file", "NoInputFiles")]
    public async Task What_cannot_be_read_is_an_error_that_names_the_file(string path, string? content, string errorId)
    {
        if (content is not null)
        {
            // One character above ASCII is no UTF-8 in Latin-1.
            _folder.Write(path.Length == 0 ? "a.txt" : path, Encoding.Latin1.GetBytes(content));
        }

        var error = await Assert.ThrowsAsync<FunctionBuildException>(() => Names(InputSource.FromPath(_folder.Combine(path))));

        Assert.Equal(errorId, error.ErrorId);
        Assert.Contains(_folder.Path, error.Message);
    }

    [Theory]
    [InlineData("", "there is none")]
    [InlineData("apiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: B\n", "there are 2")]
    public async Task Where_one_is_expected_another_number_is_an_error(string text, string expected)
    {
        var error = await Assert.ThrowsAsync<FunctionBuildException>(() => InputReader.ReadOneAsync(InputSource.FromText(text, "xr"), "composite resource", TestContext.Current.CancellationToken));

        Assert.Equal("OneObjectExpected", error.ErrorId);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public async Task A_folder_of_schemas_means_its_json_files_and_those_below()
    {
        Write("b/a.json", """{"openapi": "3.0.0", "components": {"schemas": {"A": {}}}}""");
        Write("z.json", """{"openapi": "3.0.0", "paths": {}}""");
        Write("z.yaml", "not: read");

        IReadOnlyList<InputDocument> schemas = await InputReader.ReadSchemasAsync([InputSource.FromPath(_folder.Path)], TestContext.Current.CancellationToken);
        Assert.Equal(2, schemas.Count);

        var error = await Assert.ThrowsAsync<FunctionBuildException>(() => InputReader.ReadSchemasAsync([InputSource.FromText("{\"a\": 1}", "text")], TestContext.Current.CancellationToken));
        Assert.Equal("InvalidSchema", error.ErrorId);
    }

    [Theory]
    [InlineData(null, null, "PathNotFound")]
    [InlineData("readme.txt", "no schema", "NoInputFiles")]
    [InlineData("bad.json", "{\"components\": ", "InvalidYaml")]
    public async Task Schemas_that_cannot_be_read_are_an_error(string? file, string? content, string errorId)
    {
        if (file is not null)
        {
            Write("schemas/" + file, content!);
        }

        var error = await Assert.ThrowsAsync<FunctionBuildException>(() => InputReader.ReadSchemasAsync([InputSource.FromPath(_folder.Combine("schemas"))], TestContext.Current.CancellationToken));

        Assert.Equal(errorId, error.ErrorId);
    }

    private static string Object(string name) => $"apiVersion: v1\nkind: Thing\nmetadata: {{name: {name}}}\n";

    private static async Task<IEnumerable<string>> Names(InputSource source) =>
        (await InputReader.ReadObjectsAsync([source], TestContext.Current.CancellationToken)).Select(d => d.Content["metadata"]!["name"]!.GetValue<string>());

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.Combine(name))!);
        File.WriteAllText(_folder.Combine(name), text);
    }
}
