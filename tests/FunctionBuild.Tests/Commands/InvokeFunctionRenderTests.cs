using System.Management.Automation;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Tests.Registry;
using FunctionBuild.Core.Tests.Rendering.Engine;
using FunctionBuild.Tests.Fixtures;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Wire = FunctionBuild.Core.Rendering.Protocol.Engine;

namespace FunctionBuild.Tests.Commands;

public sealed class InvokeFunctionRenderTests : IAsyncLifetime
{
    private const string Composite = """
        apiVersion: example.org/v1
        kind: XThing
        metadata:
          name: test
          namespace: default
        spec:
          coolField: I'm cool!
        """;

    private const string Command = "Invoke-FunctionRender xr.yaml composition.yaml functions.yaml ";

    private readonly ModuleSession _session = new();
    private FunctionServer _server = null!;
    private Func<RunFunctionRequest, RunFunctionResponse> _answer = Compose;

    public async ValueTask InitializeAsync()
    {
        _server = await FunctionServer.Start(r => _answer(r));
        Write("xr.yaml", Composite);
        Write("composition.yaml", Composition("function-a"));
        Write("functions.yaml", Functions("function-a"));
    }

    public async ValueTask DisposeAsync()
    {
        _session.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public void What_is_rendered_can_be_used_like_the_yaml()
    {
        IReadOnlyList<PSObject> output = _session.Get(Command);

        Assert.Equal(["XThing", "Thing", "Thing"], output.Select(o => o.Properties["kind"].Value));
        Assert.All(output, o => Assert.Equal("FunctionBuild.RenderedResource", o.TypeNames[0]));
        Assert.Equal(["first", "second"], _session.Get($"({Command})[1, 2].metadata.annotations.'crossplane.io/composition-resource-name'").Select(o => o.BaseObject));
        Assert.Equal(
            ["I'm cool!", 3L, 2.5, true, 2, "b"],
            _session.Get($"$s = ({Command})[1].spec; $s.field; $s.count; $s.part; $s.flag; $s.list.Count; $s.list[1].name").Select(o => o.BaseObject));
    }

    [Fact]
    public void The_same_image_is_one_function_however_often_it_comes()
    {
        Tarballs.Write(_session.Folder, "function-a");
        const string Build = "Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/platform | ForEach-Object { $_ }";

        // In two workspaces, too.
        IReadOnlyList<PSObject> output = _session.Get($"$a = {Build}; $b = {Build}; $a, $a, $b | {Command} -Runtime Development -PassThru");

        Assert.IsType<FunctionImage>(Assert.Single(output).BaseObject);
    }

    [Fact]
    public void As_text_an_object_is_its_yaml_also_when_it_was_changed()
    {
        string text = _session.Get($"$r = ({Command})[2]; $r.spec.field = 'true'; \"$r\"")[0].ToString();

        Assert.StartsWith("---\napiVersion: example.org/v1\nkind: Thing\n", text);
        Assert.EndsWith("spec:\n  field: \"true\"", text);
    }

    [Fact]
    public void A_file_has_the_stream_of_documents()
    {
        Assert.Equal(3, _session.Get(Command + "-OutFile out.yaml").Count);

        string text = File.ReadAllText(_session.Folder.Combine("out.yaml"));
        Assert.StartsWith("---\napiVersion: example.org/v1\nkind: XThing\nmetadata:\n  name: test\n", text);
        Assert.Contains("\n---\napiVersion: example.org/v1\nkind: Thing\n", text);
        Assert.Contains("    crossplane.io/composition-resource-name: first\n", text);
        Assert.EndsWith("\n", text);
        Assert.Equal(text, string.Join('\n', _session.Get(Command).Select(o => o.ToString())) + "\n");
    }

    [Fact]
    public void Inputs_can_be_text_or_objects()
    {
        const string Text = "$text = 'xr.yaml', 'composition.yaml', 'functions.yaml' | ForEach-Object { [IO.File]::ReadAllText(\"$pwd/$_\") }; Invoke-FunctionRender @text";
        const string Objects = """
            $xr = @{ apiVersion = 'example.org/v1'; kind = 'XThing'; metadata = @{ name = 'test'; namespace = 'default' }; spec = @{ coolField = "I'm cool!" } }
            $step = [pscustomobject]@{ step = 'one'; functionRef = @{ name = 'function-a' } }
            $spec = [pscustomobject]@{ mode = 'Pipeline'; compositeTypeRef = @{ apiVersion = 'example.org/v1'; kind = 'XThing' }; pipeline = @($step) }
            $composition = [pscustomobject]@{ apiVersion = 'apiextensions.crossplane.io/v1'; kind = 'Composition'; metadata = @{ name = 'things' }; spec = $spec }
            Invoke-FunctionRender $xr $composition ([IO.FileInfo]::new("$pwd/functions.yaml"))
            """;

        object[] fromText = [.. _session.Get(Text).Select(o => o.ToString())];
        Assert.Equal(fromText, _session.Get(Objects).Select(o => o.ToString()));
        Assert.Equal(fromText, _session.Get(Command).Select(o => o.ToString()));
    }

    [Fact]
    public void Lines_are_the_text_that_they_were()
    {
        const string Read = "$read = { [IO.File]::ReadAllLines(\"$pwd/$args\") }; ";
        const string Other = """('{', '"apiVersion": "pkg.crossplane.io/v1", "kind": "Function", "metadata": {"name": "other"}', '}')""";
        object[] expected = [.. _session.Get(Command).Select(o => o.ToString())];

        foreach (string arguments in (string[])
        [
            "(& $read xr.yaml) (& $read composition.yaml) (& $read functions.yaml)",
            "(@('# a comment', '', '---') + (& $read xr.yaml)) composition.yaml functions.yaml",
            $"xr.yaml composition.yaml (& $read functions.yaml), {Other}",
            $"xr.yaml composition.yaml functions.yaml, {Other}",
        ])
        {
            Assert.Equal(expected, _session.Get($"{Read} Invoke-FunctionRender {arguments}").Select(o => o.ToString()));
        }
    }

    [Theory]
    [InlineData("(& $read a.yaml), (& $read b.yaml)")]
    [InlineData("(& $read a.yaml), 'b.yaml'")]
    [InlineData("(& $read a.yaml), ''.PadRight(1), (& $read b.yaml)", "NotAnObject")]
    [InlineData("$json[0], $json[1]")]
    [InlineData("$json[0], 'b.yaml'")]
    [InlineData("\"[$($json[0])]\", \"[$($json[1])]\"")]
    [InlineData("'[a].yaml', 'b.yaml'")]
    public void Several_texts_are_not_the_lines_of_one(string given, string? errorId = null)
    {
        string[] objects = [.. new[] { "a", "b" }.Select(n => $$$$"""{"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "{{{{n}}}}", "namespace": "default", "annotations": {"crossplane.io/composition-resource-name": "{{{{n}}}}"}}}""")];
        File.WriteAllText(_session.Folder.Combine("a.yaml"), "# one\n" + objects[0] + "\n");
        File.WriteAllText(_session.Folder.Combine("b.yaml"), "# two\n" + objects[1] + "\n");

        ShellResult result = _session.Run($"$read = {{ [IO.File]::ReadAllText(\"$pwd/$args\") }}; $json = $args; $null = {Command} -ObservedResource ({given})", objects);

        Assert.Equal(errorId, result.EndedBy);
        if (errorId is null)
        {
            Assert.Equal(["a", "b"], _server.Requests[^1].Observed.Resources.Keys.Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [InlineData("'[]'")]
    [InlineData("@()")]
    [InlineData("@{ items = @() }.items")]
    public void A_list_may_be_empty(string given)
    {
        Assert.Equal(3, _session.Get($"{Command} -ObservedResource {given} -RequiredResource {given} -FunctionCredential {given} -RequiredSchema @()").Count);
        Assert.Equal("FunctionNotFound", _session.Run($"Invoke-FunctionRender xr.yaml composition.yaml {(given == "'[]'" ? given : $"({given})")}").EndedBy);
    }

    [Fact]
    public void A_list_in_json_may_have_spaces()
    {
        const string Observed = """ [ {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "a", "namespace": "default", "annotations": {"crossplane.io/composition-resource-name": "first"}}} ]""";

        _session.Get($"$null = {Command} -ObservedResource '{Observed}'");

        Assert.Equal(["first"], _server.Requests[^1].Observed.Resources.Keys);
    }

    [Fact]
    public void An_errors_target_can_be_used_like_the_yaml()
    {
        Assert.Equal("things", _session.Get("try { Invoke-FunctionRender @{ apiVersion = 'v1'; kind = 'Other'; metadata = @{ name = 'a' } } composition.yaml functions.yaml } catch { $_.TargetObject.metadata.name }")[0].BaseObject);
    }

    [Fact]
    public void An_observed_resource_that_is_no_longer_desired_is_warned_of()
    {
        ShellResult result = _session.Run($$"""
            $old = ({{Command}})[1]
            $old.metadata.name = 'old'
            $old.metadata.annotations.'crossplane.io/composition-resource-name' = 'gone'
            $null = {{Command}} -ObservedResource $old
            """);

        Assert.Null(result.Ended);
        Assert.Contains("No longer desired, and would be deleted: Thing old.", result.Warnings);
    }

    [Fact]
    public void What_was_rendered_is_observed_in_the_next_render()
    {
        _session.Get($"$observed = {Command} | Where-Object kind -EQ Thing");
        foreach (string given in (string[])["$observed", "($observed -join \"`n\")"])
        {
            _session.Get($"$null = {Command} -ObservedResource {given}");
            Assert.Equal(["first", "second"], _server.Requests[^1].Observed.Resources.Keys.Order());
            Assert.Equal("b", _server.Requests[^1].Observed.Resources["first"].Resource_.Fields["spec"].StructValue.Fields["list"].ListValue.Values[1].StructValue.Fields["name"].StringValue);
        }
    }

    [Fact]
    public void Wildcards_and_folders_are_taken()
    {
        Directory.CreateDirectory(_session.Folder.Combine("required"));
        Write("required/a.yaml", "apiVersion: v1\nkind: A\nmetadata: {name: a}\n");
        Write("required/b.yml", "apiVersion: v1\nkind: B\nmetadata: {name: b}\n");

        Assert.NotEmpty(_session.Get("Invoke-FunctionRender xr.y* composition.yaml functions.yaml -RequiredResource required"));
        Assert.NotEmpty(_session.Get("Invoke-FunctionRender xr.yaml composition.yaml functions.yaml -ExtraResource required/*"));
        Assert.Equal("SeveralPaths", _session.Run("Invoke-FunctionRender *.yaml composition.yaml functions.yaml").EndedBy);
        Assert.Equal("PathNotFound", _session.Run("Invoke-FunctionRender n*.yml composition.yaml functions.yaml").EndedBy);
        Assert.Equal("PathNotFound", _session.Run("Invoke-FunctionRender none.yaml composition.yaml functions.yaml").EndedBy);
    }

    [Fact]
    public void Context_goes_in_and_comes_out_and_values_win_over_files()
    {
        Write("value.json", """{"from": "file"}""");
        const string Parameters = "-ContextFile @{ a = 'value.json'; b = 'value.json' } -ContextValue @{ a = '{from: text}'; c = @{ n = 1 } } -IncludeContext";

        PSObject context = _session.Get(Command + Parameters)[^1];

        Assert.Equal("Context", context.Properties["kind"].Value);
        Assert.Equal(["text", "file", 1L], _session.Get($"$f = ({Command + Parameters})[-1].fields; $f.a.from; $f.b.from; $f.c.n").Select(o => o.BaseObject));
        Assert.Equal("text", _server.Requests[0].Context.Fields["a"].StructValue.Fields["from"].StringValue);
    }

    [Fact]
    public void Warnings_of_functions_are_shown_and_results_given_when_asked_for()
    {
        _answer = request =>
        {
            RunFunctionResponse response = Compose(request);
            response.Results.Add(new Result { Severity = Severity.Warning, Message = "mind the gap" });
            response.Results.Add(new Result { Severity = Severity.Normal, Message = "all is well" });
            return response;
        };

        ShellResult plain = _session.Run(Command);
        ShellResult withResults = _session.Run(Command + "-IncludeFunctionResults");

        Assert.Contains(plain.Warnings, w => w.Contains("mind the gap", StringComparison.Ordinal) && w.Contains("one", StringComparison.Ordinal));
        Assert.DoesNotContain(plain.Output, o => Equals(o.Properties["kind"].Value, "Result"));
        Assert.Contains(withResults.Output, o => Equals(o.Properties["severity"]?.Value, "Warning") && o.Properties["message"].Value.ToString()!.Contains("mind the gap", StringComparison.Ordinal));
        Assert.Contains(withResults.Output, o => Equals(o.Properties["severity"]?.Value, "Normal"));
    }

    [Fact]
    public void The_full_composite_has_what_was_given()
    {
        Assert.Equal(true, _session.Get($"$null -eq ({Command})[0].spec.coolField")[0].BaseObject);
        Assert.Equal("I'm cool!", _session.Get($"({Command} -IncludeFullXR)[0].spec.coolField")[0].BaseObject);
    }

    [Fact]
    public void Verbose_says_what_was_decided()
    {
        IReadOnlyList<string> verbose = _session.Run(Command + "-OutFile out.yaml -Verbose").Verbose;

        Assert.Contains(verbose, v => v.Contains("function-a", StringComparison.Ordinal) && v.Contains("functions file", StringComparison.Ordinal));
        Assert.Contains(verbose, v => v.Contains($":{_server.Port}", StringComparison.Ordinal));
        Assert.Contains(verbose, v => v.Contains("Step 1 of 1", StringComparison.Ordinal));
        Assert.Contains(verbose, v => v.Contains("out.yaml", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatIf_checks_but_starts_and_writes_nothing()
    {
        Assert.Empty(_session.Get(Command + "-OutFile out.yaml -PassThru -WhatIf"));

        Assert.Empty(_server.Calls);
        Assert.False(File.Exists(_session.Folder.Combine("out.yaml")));
        Write("xr.yaml", "a: [");
        Assert.Equal("InvalidYaml", _session.Run(Command + "-WhatIf").EndedBy);
    }

    [Fact]
    public async Task With_PassThru_the_images_flow_on_and_a_failed_render_publishes_nothing()
    {
        await using FakeRegistry registry = await FakeRegistry.Start();
        Tarballs.Write(_session.Folder, "function-a");
        string build = $"Import-FunctionTarball *.tar.gz | Build-FunctionImage {registry.Host}/acme/platform | ";

        // The image is there, but what runs is the server of this test.
        string render = Command + $"-Runtime Development -PassThru | ";
        Write("composition.yaml", Composition("platform-function-a"));
        Write("functions.yaml", Functions("platform-function-a"));

        var image = (FunctionImage)Assert.Single(_session.Get(build + render + "ForEach-Object { $_ }")).BaseObject;
        Assert.Equal("function-a", image.Name);

        _answer = _ => new RunFunctionResponse { Results = { new Result { Severity = Severity.Fatal, Message = "no way" } } };
        ShellResult failed = _session.Run(build + render + "Push-FunctionImage -Tag v1");

        Assert.Equal("FunctionFatal", failed.EndedBy);
        Assert.Contains("no way", failed.Ended!.Exception.Message);
        Assert.Contains("'one'", failed.Ended.Exception.Message);
        Assert.Empty(failed.Output);
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public void A_failed_render_leaves_the_file_as_it_was()
    {
        Write("out.yaml", "old");
        _answer = _ => throw new InvalidOperationException("broken");

        Assert.NotNull(_session.Run(Command + "-OutFile out.yaml").EndedBy);

        Assert.Equal("old", File.ReadAllText(_session.Folder.Combine("out.yaml")));
    }

    [Fact]
    public void A_step_without_a_function_is_an_error_that_lists_the_candidates()
    {
        Write("composition.yaml", Composition("function-none"));

        ShellResult result = _session.Run(Command);

        Assert.Equal("FunctionNotFound", result.EndedBy);
        Assert.Equal(ErrorCategory.ObjectNotFound, result.Ended!.CategoryInfo.Category);
        Assert.Contains("function-a", result.Ended.Exception.Message);
        Assert.Empty(_server.Calls);
    }

    [Fact]
    public void A_composition_for_something_else_is_an_error_before_anything_starts()
    {
        Write("xr.yaml", Composite.Replace("XThing", "XOther", StringComparison.Ordinal));

        Assert.Equal("CompositionMismatch", _session.Run(Command).EndedBy);
        Assert.Empty(_server.Calls);
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("'1.5'")]
    [InlineData("0h0m1.5s")]
    [InlineData("1500ms")]
    [InlineData("([timespan]::FromSeconds(1.5))")]
    public void A_function_that_hangs_ends_the_render_in_time(string timeout)
    {
        using var hang = new ManualResetEventSlim();
        _answer = _ =>
        {
            hang.Wait(TimeSpan.FromSeconds(30));
            return new RunFunctionResponse();
        };

        ShellResult result = _session.Run(Command + $"-Timeout {timeout}");
        hang.Set();

        Assert.Equal("RenderTimeout", result.EndedBy);
        Assert.Contains("1.5 seconds", result.Ended!.Exception.Message);
        Assert.Contains("Step 1 of 1: function-a", result.Ended.Exception.Message);
        Assert.Contains(result.Progress, p => p.StatusDescription == "Step 1 of 1: function-a" && p.RecordType == ProgressRecordType.Processing);
        Assert.Equal(ProgressRecordType.Completed, result.Progress[^1].RecordType);
    }

    [Fact]
    public async Task A_stopped_pipeline_does_not_wait_for_the_function()
    {
        using var called = new SemaphoreSlim(0);
        using var hang = new ManualResetEventSlim();
        _answer = _ =>
        {
            called.Release();
            hang.Wait(TimeSpan.FromSeconds(60));
            return new RunFunctionResponse();
        };
        using PowerShell shell = _session.Prepare(Command + "-Timeout 600 -OutFile out.yaml");
        IAsyncResult run = shell.BeginInvoke();
        Assert.True(await called.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));

        Task stop = Task.Run(shell.Stop, TestContext.Current.CancellationToken);
        await stop.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        hang.Set();
        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(run));
        Assert.False(File.Exists(_session.Folder.Combine("out.yaml")));
    }

    [Fact]
    public void A_crossplane_program_can_decide()
    {
        var output = new Wire.CompositeOutput { CompositeResource = JsonParser.Default.Parse<Struct>("""{"kind": "XThing", "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "2026-01-02T03:04:05Z"}]}}""") };
        output.Events.Add(new Wire.Event { Type = "Warning", Reason = "Why", Message = "said by the program" });
        using var folder = new TestFolder();
        string program = FakeCrossplane.Write(folder, new Wire.RenderResponse { Composite = output }.ToByteArray());

        ShellResult result = _session.Run(Command + "-CrossplaneBinary $args[0] | ForEach-Object { $_.status.conditions[0].lastTransitionTime }", program);

        Assert.Equal("2024-01-01T00:00:00Z", Assert.Single(result.Output).BaseObject);
        Assert.Equal(["said by the program"], result.Warnings);
        Wire.FunctionInput function = Assert.Single(Wire.RenderRequest.Parser.ParseFrom(File.ReadAllBytes(folder.Combine("request"))).Composite.Functions);
        Assert.Equal("function-a", function.Name);
        Assert.NotEqual($"127.0.0.1:{_server.Port}", function.Address);
    }

    // The documents, their order and their fields are those that crossplane composition render prints of such an answer.
    [Theory]
    [InlineData("", "")]
    [InlineData("-IncludeFunctionResults", """
        ---
        apiVersion: render.crossplane.io/v1beta1
        kind: Result
        message: all is well
        reason: Greeted
        severity: Normal

        """)]
    [InlineData("-IncludeFullXR", "")]
    public void A_file_is_as_the_crossplane_tool_prints_it(string parameters, string results)
    {
        var output = new Wire.CompositeOutput { CompositeResource = JsonParser.Default.Parse<Struct>("""{"apiVersion": "example.org/v1", "kind": "XThing", "metadata": {"name": "test"}, "spec": {"crossplane": {"resourceRefs": [{"name": "b"}]}}}""") };
        output.ComposedResources.Add(((string[])["b", "a"]).Select(n => JsonParser.Default.Parse<Struct>($$"""{"kind": "Thing", "apiVersion": "example.org/v1", "spec": {"count": 3, "on": "yes"}, "metadata": {"annotations": {"crossplane.io/composition-resource-name": "{{n}}"}, "name": "{{n}}" } }""")));
        output.Events.Add(new Wire.Event { Type = "Normal", Reason = "Greeted", Message = "all is well" });
        using var folder = new TestFolder();
        string program = FakeCrossplane.Write(folder, new Wire.RenderResponse { Composite = output }.ToByteArray());

        _session.Get($"$null = {Command} -CrossplaneBinary $args[0] -OutFile out.yaml {parameters}", program);

        (string space, string field) = parameters == "-IncludeFullXR" ? ("  namespace: default\n", "  coolField: I'm cool!\n") : (string.Empty, string.Empty);
        Assert.Equal(
            $"---\napiVersion: example.org/v1\nkind: XThing\nmetadata:\n  name: test\n{space}spec:\n{field}  crossplane:\n    resourceRefs:\n    - name: b\n"
            + Document("a") + Document("b") + results.ReplaceLineEndings("\n"),
            File.ReadAllText(_session.Folder.Combine("out.yaml")));

        static string Document(string name) =>
            $"---\napiVersion: example.org/v1\nkind: Thing\nmetadata:\n  annotations:\n    crossplane.io/composition-resource-name: {name}\n  name: {name}\nspec:\n  count: 3\n  \"on\": \"yes\"\n";
    }

    [Fact]
    public async Task It_is_shown_as_yaml()
    {
        IEnumerable<string> paths = ((string[])["xr.yaml", "composition.yaml", "functions.yaml"]).Select(f => $"'{_session.Folder.Combine(f)}'");

        HostResult result = await HostProcess.RunIn(_session.Folder.Combine("workspaces"), "-Command", $"Invoke-FunctionRender {string.Join(' ', paths)}");

        Assert.Equal((0, string.Empty), (result.ExitCode, result.Error));
        Assert.Contains("---\napiVersion: example.org/v1\nkind: Thing\nmetadata:\n  annotations:\n    crossplane.io/composition-resource-name: first\n", result.Output.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_fatal_result_is_an_error_and_not_a_warning_too()
    {
        _answer = _ => new RunFunctionResponse
        {
            Results = { new Result { Severity = Severity.Warning, Message = "a hint" }, new Result { Severity = Severity.Fatal, Message = "no way" } },
        };

        ShellResult result = _session.Run(Command);

        Assert.Equal("FunctionFatal", result.EndedBy);
        Assert.Contains("a hint", Assert.Single(result.Warnings));
    }

    [Fact]
    public void Two_functions_cannot_listen_where_nothing_is_said()
    {
        Write("composition.yaml", Composition("function-a").Replace("pipeline:", "pipeline:\n  - step: two\n    functionRef: {name: function-b}", StringComparison.Ordinal));
        Write("functions.yaml", "apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: function-a}\n---\napiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: function-b}\n");

        Assert.Equal("DevelopmentTargetMissing", _session.Run(Command + "-Runtime Development").EndedBy);
    }

    [Theory]
    [InlineData("-Timeout 0", "InvalidTimeout")]
    [InlineData("-Timeout -1", "InvalidTimeout")]
    [InlineData("-Timeout 0m", "InvalidTimeout")]
    [InlineData("-Timeout 10ms5s", "CannotConvertArgumentNoMessage")]
    [InlineData("-Timeout ''", "CannotConvertArgumentNoMessage")]
    [InlineData("-RequiredResource ''", "NotAnObject")]
    [InlineData("-CompositeResourceDefinition ''", "NotAnObject")]
    [InlineData("-CompositeResourceDefinition $null", "ParameterArgumentValidationError")]
    [InlineData("-RequiredResource xr.yaml, ' '", "NotAnObject")]
    [InlineData("-RequiredResource $null", "ParameterArgumentValidationError")]
    [InlineData("-OutFile none/out.yaml", "OutFileNotWritable")]
    [InlineData("-HostNetwork -Runtime Docker", "HostNetworkNotSupported")]
    [InlineData("-CrossplaneBinary ./none -IncludeContext", "ContextNotSupported")]
    [InlineData("-CrossplaneBinary ./none", "CrossplaneBinaryNotRunnable")]
    [InlineData("-FunctionCredential xr.yaml", "NotASecret")]
    [InlineData("-RequiredSchema xr.yaml", "InvalidSchema")]
    [InlineData("-RequiredResource ([DateTime]::Now)", "NotAnObject")]
    [InlineData("-ContextValue @{ a = [IO.MemoryStream]::new() }", "UnsupportedValue")]
    public void Arguments_that_cannot_be_used_are_errors_of_their_own(string parameters, string errorId) =>
        Assert.Equal(errorId, _session.Run(Command + parameters).EndedBy);

    [Fact]
    public void An_annotation_that_has_no_effect_is_a_warning()
    {
        Write("functions.yaml", Functions("function-a").Replace("annotations:", "annotations:\n    render.crossplane.io/runtime-docker-memory: 1Gi", StringComparison.Ordinal));

        Assert.Contains(_session.Run(Command).Warnings, w => w.Contains("runtime-docker-memory", StringComparison.Ordinal));
    }

    [Fact]
    public void A_package_that_is_run_instead_of_what_listens_is_a_warning()
    {
        Tarballs.Write(_session.Folder, "function-a");
        const string Render = "Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/platform | " + Command + "-WhatIf ";

        Assert.Contains(_session.Run(Render).Warnings, w => w.Contains("'function-a' is said to listen", StringComparison.Ordinal));
        Assert.Empty(_session.Run(Render + "-Runtime Development").Warnings);
    }

    [Fact]
    public void Keys_that_differ_by_case_only_are_kept()
    {
        _answer = request =>
        {
            RunFunctionResponse response = Compose(request);
            response.Desired.Resources["first"].Resource_.Fields["spec"] = Value.ForStruct(JsonParser.Default.Parse<Struct>("""{"a": "lower", "A": "upper"}"""));
            return response;
        };

        IReadOnlyList<PSObject> output = _session.Get($"$r = ({Command})[1]; $r.spec['a']; $r.spec['A']; \"$r\"");

        Assert.Equal(["lower", "upper"], output.Take(2).Select(o => o.BaseObject));
        Assert.EndsWith("spec:\n  A: upper\n  a: lower", output[2].ToString());
    }

    [Theory]
    [InlineData("'text'", "text")]
    [InlineData("'5'", 5L)]
    [InlineData("'true'", true)]
    [InlineData("''", null)]
    [InlineData("7", 7L)]
    public void A_value_of_the_context_can_be_of_any_kind(string value, object? expected)
    {
        Assert.Equal(expected, _session.Get($"({Command} -ContextValue @{{ k = {value} }} -IncludeContext)[-1].fields.k").SingleOrDefault()?.BaseObject);

        Value seen = _server.Requests[0].Context.Fields["k"];
        Assert.Equal(expected, seen.KindCase switch
        {
            Value.KindOneofCase.StringValue => seen.StringValue,
            Value.KindOneofCase.NumberValue => (long)seen.NumberValue,
            Value.KindOneofCase.BoolValue => seen.BoolValue,
            _ => (object?)null,
        });
    }

    [Fact]
    public void The_context_is_there_when_it_was_asked_for_also_when_a_function_returned_none()
    {
        _answer = request =>
        {
            RunFunctionResponse response = Compose(request);
            response.Context = null;
            return response;
        };

        Assert.EndsWith("fields: {}\nkind: Context", _session.Get(Command + "-ContextValue @{ a = '1' } -IncludeContext")[^1].ToString());
    }

    [Theory]
    [InlineData("Invoke-FunctionRender xr.yaml none.yaml functions.yaml")]
    [InlineData("Invoke-FunctionRender xr.yaml composition.yaml none.yaml")]
    [InlineData(Command + "-CompositeResourceDefinition none.yaml")]
    [InlineData(Command + "-FunctionCredential none.yaml")]
    [InlineData(Command + "-ObservedResource none.yaml")]
    [InlineData(Command + "-RequiredResource none.yaml, xr.yaml")]
    [InlineData(Command + "-ExtraResource none.yaml, xr.yaml")]
    [InlineData(Command + "-RequiredSchema none")]
    [InlineData(Command + "-ContextFile @{ a = 'none.json' }")]
    public void A_file_that_is_not_there_is_an_error_before_anything_runs(string command)
    {
        ShellResult result = _session.Run(command);

        Assert.Equal("PathNotFound", result.EndedBy);
        Assert.Contains("none", result.Ended!.Exception.Message);
        Assert.Empty(_server.Calls);
    }

    [Fact]
    public void Without_functions_the_step_that_lacks_one_is_named()
    {
        ShellResult result = _session.Run("Invoke-FunctionRender xr.yaml composition.yaml");

        Assert.Equal("FunctionNotFound", result.EndedBy);
        Assert.Contains("function-a", result.Ended!.Exception.Message);
    }

    [Fact]
    public void Runtimes_are_completed()
    {
        using PowerShell shell = _session.Prepare(string.Empty);
        shell.Commands.Clear();
        const string Line = "Invoke-FunctionRender -Runtime ";

        Assert.Equal(["Auto", "Development", "Docker", "Oci"], CommandCompletion.CompleteInput(Line, Line.Length, null, shell).CompletionMatches.Select(m => m.CompletionText));
    }

    private static RunFunctionResponse Compose(RunFunctionRequest request)
    {
        var response = new RunFunctionResponse
        {
            Meta = new ResponseMeta { Tag = request.Meta.Tag },
            Desired = request.Desired?.Clone() ?? new State(),
            Context = request.Context,
        };
        string field = request.Observed.Composite.Resource_.Fields["spec"].StructValue.Fields["coolField"].StringValue;
        response.Desired.Resources["second"] = Thing("""{"field": "2"}""");
        response.Desired.Resources["first"] = Thing($$"""{"field": "{{field}}", "count": 3, "part": 2.5, "flag": true, "list": [{"name": "a"}, {"name": "b"}]}""");
        return response;
    }

    private static Resource Thing(string spec) => new()
    {
        Resource_ = JsonParser.Default.Parse<Struct>($$"""{"apiVersion": "example.org/v1", "kind": "Thing", "spec": {{spec}}}"""),
    };

    private static string Composition(string function) => $$"""
        apiVersion: apiextensions.crossplane.io/v1
        kind: Composition
        metadata: {name: things}
        spec:
          mode: Pipeline
          compositeTypeRef: {apiVersion: example.org/v1, kind: XThing}
          pipeline:
          - step: one
            functionRef: {name: {{function}}}
        """;

    private string Functions(string name) => $"""
        apiVersion: pkg.crossplane.io/v1
        kind: Function
        metadata:
          name: {name}
          annotations:
            render.crossplane.io/runtime: Development
            render.crossplane.io/runtime-development-target: 127.0.0.1:{_server.Port}
        spec:
          package: ghcr.io/acme/{name}:v1
        """;

    private void Write(string name, string text) => File.WriteAllText(_session.Folder.Combine(name), text);
}
