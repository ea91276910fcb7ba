using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Engine;
using FunctionBuild.Core.Rendering.Inputs;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Tests.Fixtures;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Net.Client;
using Wire = FunctionBuild.Core.Rendering.Protocol.Engine;

namespace FunctionBuild.Core.Tests.Rendering.Engine;

public sealed class BinaryEngineTests : IDisposable
{
    private const string WaitForGo = "i=0; while [ ! -e go ] && [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done";

    private readonly TestFolder _folder = new();
    private readonly List<string> _said = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_program_is_given_the_request_and_its_answer_is_the_result()
    {
        var output = new Wire.CompositeOutput { CompositeResource = Struct("""{"kind": "XR", "status": {"n": 3}}""") };
        output.ComposedResources.Add(Struct("""{"kind": "A"}"""));
        output.DeletedResources.Add(Struct("""{"kind": "B"}"""));
        output.Events.Add(new Wire.Event { Type = "Normal", Reason = "Why", Message = "hello" });

        RenderResult result = await Render(Answer(output), then: "echo noted >&2");

        Assert.Equal("internal render --timeout=90.5s", File.ReadAllText(_folder.Combine("arguments")).Trim());
        Assert.Equal("""{"kind":"XR","status":{"n":3}}""", result.CompositeResource.ToJsonString());
        Assert.Equal("""{"kind":"A"}""", Assert.Single(result.ComposedResources).ToJsonString());
        Assert.Equal("""{"kind":"B"}""", Assert.Single(result.DeletedResources).ToJsonString());
        Assert.Equal([new RenderEvent("Normal", "Why", "hello")], result.Events);
        Assert.Contains(_said, s => s.Contains("noted", StringComparison.Ordinal));
        Wire.CompositeInput request = Request();
        Assert.Equal("function-a", request.Composition.Fields["spec"].StructValue.Fields["pipeline"].ListValue.Values[0].StructValue.Fields["functionRef"].StructValue.Fields["name"].StringValue);
        Assert.Equal("set by default", request.CompositeResource.Fields["spec"].StructValue.Fields["field"].StringValue);
        Assert.Equal("Thing", Assert.Single(request.RequiredResources).Fields["kind"].StringValue);
        Assert.Equal("aGVsbG8=", Assert.Single(request.Credentials).Fields["data"].StructValue.Fields["key"].StringValue);
        Assert.Equal("CompositeResourceDefinition", request.CompositeResourceDefinition.Fields["kind"].StringValue);
    }

    [Fact]
    public async Task Each_function_is_offered_on_a_port_of_its_own_while_the_program_runs()
    {
        await using FunctionServer server = await FunctionServer.Start(r => new RunFunctionResponse { Meta = new ResponseMeta { Tag = r.Meta.Tag + " answered" } });
        Task<RenderResult> render = Render(Answer(new Wire.CompositeOutput { CompositeResource = new Struct() }), WaitForGo, server.Running("function-a"));
        await WaitFor("request", render);
        Wire.FunctionInput function = Assert.Single(Request().Functions);

        Assert.Equal("function-a", function.Name);
        for (int i = 0; i < 2; i++)
        {
            using var channel = GrpcChannel.ForAddress($"http://{function.Address}");
            RunFunctionResponse response = await new FunctionRunnerService.FunctionRunnerServiceClient(channel)
                .RunFunctionAsync(new RunFunctionRequest { Meta = new RequestMeta { Tag = "t" } }, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal("t answered", response.Meta.Tag);
        }

        File.WriteAllText(_folder.Combine("go"), string.Empty);
        await render;
        using var closed = new System.Net.Sockets.TcpClient();
        string[] parts = function.Address.Split(':');
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(async () => await closed.ConnectAsync(parts[0], int.Parse(parts[1], null), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_fatal_result_is_told_in_the_programs_words()
    {
        var error = await Assert.ThrowsAsync<RenderException>(() => Render([], then: "echo 'step one said no' >&2", exitCode: 3));

        Assert.Equal("FunctionFatal", error.ErrorId);
        Assert.Contains("step one said no", error.Message);
    }

    [Fact]
    public async Task What_was_there_until_a_fatal_result_is_kept()
    {
        const string Fatal = "cannot compose resources: pipeline step \"one\" returned a fatal result: no";
        var output = new Wire.CompositeOutput { CompositeResource = Struct("""{"kind": "XR"}""") };
        output.Events.Add(new Wire.Event { Type = "Warning", Reason = "ComposeResources", Message = Fatal });
        output.Events.Add(new Wire.Event { Type = "Normal", Reason = "Why", Message = "before" });
        output.RequiredResources.Add(Struct("""{"apiVersion": "v1", "kind": "ConfigMap", "matchName": "settings"}"""));
        output.RequiredSchemas.Add(Struct("""{"apiVersion": "v1", "kind": "Pod"}"""));

        var error = await Assert.ThrowsAsync<RenderException>(() => Render(Answer(output), then: $"echo '{Fatal}' >&2", exitCode: 3));

        Assert.Equal("FunctionFatal", error.ErrorId);
        Assert.Contains(Fatal, error.Message);
        Assert.Equal("one", error.TargetObject);
        Assert.Equal("settings", (string?)Assert.Single(error.RequiredResources)["matchName"]);
        Assert.Equal("Pod", (string?)Assert.Single(error.RequiredSchemas)["kind"]);
        Assert.Equal([new RenderEvent("Normal", "Why", "before")], error.EventsBefore);
    }

    [Fact]
    public async Task An_answer_that_cannot_be_read_does_not_hide_a_fatal_result()
    {
        var error = await Assert.ThrowsAsync<RenderException>(() => Render("not protobuf"u8.ToArray(), then: "echo 'step one said no' >&2", exitCode: 3));

        Assert.Equal("FunctionFatal", error.ErrorId);
        Assert.Null(error.Partial);
    }

    [Theory]
    [InlineData("echo broken >&2", 1, "CrossplaneBinaryFailed", "broken")]
    [InlineData(":", 0, "CrossplaneBinaryMalformedAnswer", "no composite resource")]
    [InlineData("printf 'not protobuf'", 0, "CrossplaneBinaryMalformedAnswer", "no RenderResponse")]
    [InlineData("i=0; while [ $i -lt 3000 ]; do echo 'a long line of complaints' >&2; i=$((i+1)); done; echo last >&2", 1, "CrossplaneBinaryFailed", "last")]
    public async Task A_program_that_fails_or_gives_something_else_is_an_error(string then, int exitCode, string errorId, string expected)
    {
        var error = await Assert.ThrowsAsync<FunctionBuildException>(() => Render([], then, exitCode: exitCode));

        Assert.Equal(errorId, error.ErrorId);
        Assert.Contains(expected, error.Message);
        Assert.InRange(error.Message.Length, 1, 50_000);
    }

    [Theory]
    [InlineData("LegacyCluster", """{"crossplane": {"resourceRefs": []}}""", true)]
    [InlineData("LegacyCluster", """{"resourceRefs": []}""", false)]
    [InlineData("Cluster", """{"crossplane": {"resourceRefs": []}}""", false)]
    public async Task A_program_that_does_not_know_legacy_definitions_is_an_error(string scope, string spec, bool isTooOld)
    {
        string program = FakeCrossplane.Write(_folder, Answer(new Wire.CompositeOutput { CompositeResource = Struct($$"""{"kind": "XR", "spec": {{spec}} }""") }));
        RenderPlan plan = await Plan(new RenderOptions(), scope: scope);

        Task<RenderResult> render = new BinaryEngine(new RenderOptions { CrossplaneBinary = program }).RenderAsync(plan, [], TestContext.Current.CancellationToken);

        if (isTooOld)
        {
            Assert.Equal("CrossplaneBinaryTooOld", (await Assert.ThrowsAsync<FunctionBuildException>(() => render)).ErrorId);
        }
        else
        {
            Assert.Equal("XR", (string?)(await render).CompositeResource["kind"]);
        }
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_an_error()
    {
        var engine = new BinaryEngine(new RenderOptions { CrossplaneBinary = _folder.Combine("nowhere") });

        var error = await Assert.ThrowsAsync<FunctionBuildException>(async () => await engine.RenderAsync(await Plan(), [], TestContext.Current.CancellationToken));

        Assert.Equal("CrossplaneBinaryNotRunnable", error.ErrorId);
    }

    [Fact]
    public async Task A_stopped_render_ends_the_program()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        string program = FakeCrossplane.Write(_folder, [], "echo $$ > pid.part; mv pid.part pid; exec sleep 600");
        Task<RenderResult> render = new BinaryEngine(new RenderOptions { CrossplaneBinary = program }).RenderAsync(await Plan(), [], stop.Token);
        await WaitFor("pid", render);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => render);
        int pid = int.Parse(File.ReadAllText(_folder.Combine("pid")), null);
        Assert.Throws<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(pid));
    }

    [Fact]
    public async Task A_context_cannot_be_given_to_the_program()
    {
        var options = new RenderOptions { CrossplaneBinary = "crossplane" };

        Assert.Equal("ContextNotSupported", (await Assert.ThrowsAsync<FunctionBuildException>(() => Plan(options with { NeedsContext = true }))).ErrorId);
        Assert.Equal("ContextNotSupported", (await Assert.ThrowsAsync<FunctionBuildException>(() => Plan(options, [new("k", InputSource.FromText("1", "k"))]))).ErrorId);
    }

    private static byte[] Answer(Wire.CompositeOutput output) => new Wire.RenderResponse { Composite = output }.ToByteArray();

    private static Struct Struct(string json) => JsonParser.Default.Parse<Struct>(json);

    private static Task<RenderPlan> Plan() => Plan(new RenderOptions());

    private static Task<RenderPlan> Plan(RenderOptions options, IReadOnlyList<KeyValuePair<string, InputSource>>? context = null, string scope = "Cluster") => new RenderInputs
    {
        CompositeResource = Text("apiVersion: example.org/v1\nkind: XThing\nmetadata: {name: a}\nspec: {}\n"),
        Composition = Text("""
            apiVersion: apiextensions.crossplane.io/v1
            kind: Composition
            metadata: {name: c}
            spec:
              mode: Pipeline
              compositeTypeRef: {apiVersion: example.org/v1, kind: XThing}
              pipeline: [{step: one, functionRef: {name: function-a}}]
            """),
        CompositeResourceDefinition = Text("""
            apiVersion: apiextensions.crossplane.io/v2
            kind: CompositeResourceDefinition
            metadata: {name: xthings.example.org}
            spec:
              group: example.org
              names: {kind: XThing, plural: xthings}
              scope: Cluster
              versions:
              - name: v1
                schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {field: {type: string, default: set by default}}}}}}
            """.Replace("scope: Cluster", $"scope: {scope}", StringComparison.Ordinal)),
        Functions = [Text("apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: function-a}\nspec: {package: a}\n")],
        RequiredResources = [Text("apiVersion: v1\nkind: Thing\nmetadata: {name: t}\n")],
        Credentials = [Text("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: n}\nstringData: {key: hello}\n")],
        Context = context ?? [],
    }.ReadAsync(options, TestContext.Current.CancellationToken);

    private static InputSource Text(string text) => InputSource.FromText(text, "text");

    private async Task<RenderResult> Render(byte[] answer, string then = ":", RunningFunction? function = null, int exitCode = 0)
    {
        string program = FakeCrossplane.Write(_folder, answer, then, exitCode);
        var engine = new BinaryEngine(new RenderOptions { CrossplaneBinary = program, Timeout = TimeSpan.FromSeconds(90.5), Report = _said.Add });
        return await engine.RenderAsync(await Plan(), function is null ? [] : [function], TestContext.Current.CancellationToken);
    }

    private Wire.CompositeInput Request() => Wire.RenderRequest.Parser.ParseFrom(File.ReadAllBytes(_folder.Combine("request"))).Composite;

    private async Task WaitFor(string name, Task meanwhile)
    {
        while (!File.Exists(_folder.Combine(name)))
        {
            if (meanwhile.IsCompleted)
            {
                await meanwhile;
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
