using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Output;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Rendering.Output;

public sealed class RenderedDocumentsTests
{
    private static readonly RenderRequest Request = new()
    {
        CompositeResource = Parse("""{"apiVersion": "example.org/v1", "kind": "XR", "metadata": {"name": "a", "labels": {"l": "1"}}, "spec": {"given": true, "list": [1, 2]}}"""),
        Composition = [],
    };

    private static readonly RenderResult Result = new()
    {
        CompositeResource = Parse("""{"apiVersion": "example.org/v1", "kind": "XR", "metadata": {"name": "a"}, "spec": {"list": [3]}, "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "2026-05-05T05:05:05Z"}]}}"""),
        ComposedResources = [Composed("b"), Composed("a"), Parse("""{"kind": "unnamed"}""")],
        DeletedResources = [],
        Events = [new RenderEvent("Warning", "Why", "something"), new RenderEvent("Normal", "Who", "else")],
        Context = Parse("""{"k": {"v": 1}}"""),
    };

    [Fact]
    public void The_composite_comes_first_and_the_composed_by_their_name() =>
        Assert.Equal(["XR", "unnamed", "a", "b"], Of(RenderedContent.None).Select(d => d["kind"]!.GetValue<string>()));

    [Fact]
    public void Results_and_context_come_last_when_they_are_asked_for()
    {
        IReadOnlyList<JsonObject> documents = Of(RenderedContent.FunctionResults | RenderedContent.Context);

        Assert.Equal(["XR", "unnamed", "a", "b", "Result", "Result", "Context"], documents.Select(d => d["kind"]!.GetValue<string>()));
        Assert.Equal("""{"apiVersion":"render.crossplane.io/v1beta1","kind":"Result","severity":"Warning","reason":"Why","message":"something"}""", documents[4].ToJsonString());
        Assert.Equal("""{"apiVersion":"render.crossplane.io/v1beta1","kind":"Context","fields":{"k":{"v":1}}}""", documents[6].ToJsonString());
    }

    [Fact]
    public void Times_of_conditions_are_the_same_in_every_run() =>
        Assert.Equal("2024-01-01T00:00:00Z", Of(RenderedContent.None)[0]["status"]!["conditions"]![0]!["lastTransitionTime"]!.GetValue<string>());

    [Fact]
    public void The_full_composite_has_what_was_given_and_what_changed()
    {
        JsonObject composite = Of(RenderedContent.FullComposite)[0];

        Assert.Equal("1", composite["metadata"]!["labels"]!["l"]!.GetValue<string>());
        Assert.Equal("""{"given":true,"list":[3]}""", composite["spec"]!.ToJsonString());
        Assert.Null(Of(RenderedContent.None)[0]["spec"]!["given"]);
    }

    [Fact]
    public void Nothing_of_the_result_is_changed()
    {
        string before = Result.CompositeResource.ToJsonString();

        Of(RenderedContent.FullComposite);

        Assert.Equal(before, Result.CompositeResource.ToJsonString());
    }

    [Fact]
    public async Task A_file_is_replaced_as_a_whole_and_has_no_byte_order_mark()
    {
        using var folder = new TestFolder();
        string path = folder.Write("out.yaml", "old and longer than what comes"u8.ToArray());

        await RenderedFile.WriteAsync(path, [Parse("""{"b": "ü", "a": 1}""")], TestContext.Current.CancellationToken);

        Assert.Equal("---\na: 1\nb: ü\n"u8.ToArray(), await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task Where_a_link_leads_a_file_is_replaced_and_keeps_its_mode()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Links and modes of Unix.");
            return;
        }

        using var folder = new TestFolder();
        string path = folder.Write("out.yaml", "old"u8.ToArray());
        string link = folder.Combine("link.yaml");
        UnixMode.Set(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(link, "out.yaml");

        await RenderedFile.WriteAsync(link, [Parse("""{"a": 1}""")], TestContext.Current.CancellationToken);

        Assert.Equal("out.yaml", new FileInfo(link).LinkTarget);
        Assert.Equal("---\na: 1\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, UnixMode.Of(path));
    }

    [Fact]
    public async Task A_device_is_written_to_and_not_replaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A link to the end of a pipe, as Linux has it.");
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.In);
        string path = $"/dev/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
        Task<string> read = Task.Run(
            async () =>
            {
                byte[] content = new byte["---\na: 1\n".Length];
                await pipe.ReadExactlyAsync(content, TestContext.Current.CancellationToken);
                return System.Text.Encoding.UTF8.GetString(content);
            },
            TestContext.Current.CancellationToken);

        await RenderedFile.WriteAsync(path, [Parse("""{"a": 1}""")], TestContext.Current.CancellationToken);

        Assert.Equal("---\na: 1\n", await read.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("", "folder")]
    [InlineData("missing/out.yaml", "does not exist")]
    public async Task A_file_that_cannot_be_written_is_named(string name, string expected)
    {
        using var folder = new TestFolder();

        var error = await Assert.ThrowsAsync<FunctionBuildException>(() => RenderedFile.WriteAsync(folder.Combine(name), [[]], TestContext.Current.CancellationToken));

        Assert.Equal("OutFileNotWritable", error.ErrorId);
        Assert.Contains(expected, error.Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("out.yaml", "it is read-only")]
    [InlineData("", "cannot be made in the folder")]
    public async Task What_is_read_only_is_known_before_anything_is_rendered(string readOnly, string expected)
    {
        using var folder = new TestFolder();
        string path = folder.Write("out.yaml", "old"u8.ToArray());
        using var guard = ReadOnlyPath.Make(folder.Combine(readOnly));

        var error = Assert.Throws<FunctionBuildException>(() => RenderedFile.Check(path));

        Assert.Equal("OutFileNotWritable", error.ErrorId);
        Assert.Contains(expected, error.Message);
        await Assert.ThrowsAsync<FunctionBuildException>(() => RenderedFile.WriteAsync(path, [[]], TestContext.Current.CancellationToken));
        Assert.Equal("old", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    private static IReadOnlyList<JsonObject> Of(RenderedContent content) => RenderedDocuments.Of(Result, Request, content);

    private static JsonObject Composed(string name) =>
        new() { ["kind"] = name, ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["crossplane.io/composition-resource-name"] = name } } };

    private static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;
}
