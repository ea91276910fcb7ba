using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Docker;
using FunctionBuild.Core.Tests.Fixtures;
using Microsoft.AspNetCore.Http;

namespace FunctionBuild.Core.Tests.Runtimes.Docker;

/// <summary>What engines do when they do not do what they should.</summary>
public sealed class EngineFaultTests : IDisposable
{
    private const int BigLayer = 48 * 1024 * 1024;

    // Between the reader that rests and the blobs: the archive's pipe, the server's buffer, the socket's and the copies'.
    private const int Buffers = 6 * 1024 * 1024;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_function_comes_and_goes_without_a_trace()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var runtime = (DockerRuntime)await Connect(engine);
        var start = new FunctionStart("function-a") { Image = image, Environment = [new("LEVEL", "a=b"), new("EMPTY", "")] };

        RunningFunction function = await runtime.StartAsync(start, TestContext.Current.CancellationToken);

        JsonNode container = Assert.Single(engine.Containers).Value;
        Assert.Equal("[\"--insecure\"]", container["Cmd"]!.ToJsonString());
        Assert.Null(container["Entrypoint"]);
        Assert.Equal("[\"LEVEL=a=b\",\"EMPTY=\"]", container["Env"]!.ToJsonString());
        Assert.Equal("function-a", container["Labels"]!["io.functionbuild.function"]!.GetValue<string>());
        JsonNode binding = container["HostConfig"]!["PortBindings"]!["9443/tcp"]![0]!;
        Assert.Equal(("127.0.0.1", "0"), (binding["HostIp"]!.GetValue<string>(), binding["HostPort"]!.GetValue<string>()));
        await using (await function.ConnectAsync(TestContext.Current.CancellationToken))
        {
        }

        await function.DisposeAsync();
        await function.DisposeAsync();
        AssertEmpty(engine);
        Assert.Single(engine.Requests, r => r.StartsWith("POST /containers/", StringComparison.Ordinal) && r.Contains("/stop", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_container_that_stays_has_ended_when_its_function_is_disposed_of()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var runtime = (DockerRuntime)await Connect(engine);
        RunningFunction function = await runtime.StartAsync(Start(image) with { Cleanup = ContainerCleanup.Stop }, TestContext.Current.CancellationToken);
        (bool isAsked, bool hasEnded) = (false, false);
        engine.Override = async context =>
        {
            string path = context.Request.Path.Value!;
            if (path.EndsWith("/stop", StringComparison.Ordinal))
            {
                (isAsked, context.Response.StatusCode) = (true, 204);
                return true;
            }

            if (!isAsked || !path.EndsWith("/wait", StringComparison.Ordinal))
            {
                return false;
            }

            hasEnded = true;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("{\"StatusCode\":0}");
            return true;
        };

        await function.DisposeAsync();

        Assert.True(hasEnded);
        Assert.Single(engine.Containers);
    }

    [Fact]
    public async Task An_image_that_the_engine_has_is_neither_loaded_nor_removed()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        string id = image.Images.Single(i => i.Platform.Architecture == "amd64").Config.Digest.ToString();
        engine.Images[id] = true;
        using var runtime = (DockerRuntime)await Connect(engine);

        await (await runtime.StartAsync(Start(image), TestContext.Current.CancellationToken)).DisposeAsync();

        Assert.DoesNotContain(engine.Requests, r => r.Contains("/images/load", StringComparison.Ordinal));
        Assert.Equal([id], engine.Images.Keys);
        Assert.Empty(engine.Containers);
    }

    [Fact]
    public async Task Functions_of_one_image_share_one_load()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var runtime = (DockerRuntime)await Connect(engine);

        FunctionRuntimes functions = await FunctionRuntimes.StartAsync(runtime, Enumerable.Range(0, 4).Select(i => Start(image, $"function-{i}")), TestContext.Current.CancellationToken);

        Assert.Equal(4, engine.Containers.Count);
        Assert.Single(engine.Images);
        Assert.Single(engine.Requests, r => r.Contains("/images/load", StringComparison.Ordinal));
        await functions.DisposeAsync();
        AssertEmpty(engine);
    }

    [Fact]
    public async Task Sessions_share_an_image_and_the_last_removes_it()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var one = (DockerRuntime)await Connect(engine);
        using var two = (DockerRuntime)await Connect(engine);

        RunningFunction first = await one.StartAsync(Start(image), TestContext.Current.CancellationToken);
        RunningFunction second = await two.StartAsync(Start(image), TestContext.Current.CancellationToken);
        await first.DisposeAsync();

        string hex = image.Images.Single(i => i.Platform.Architecture == "amd64").Config.Digest.Hex;
        Assert.Equal([$"localhost/functionbuild:{hex}"], engine.Images.Keys);
        Assert.Single(engine.Requests, r => r.Contains("/images/load", StringComparison.Ordinal));
        await second.DisposeAsync();
        AssertEmpty(engine);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, null)]
    [InlineData(3, "ImageNotFound")]
    public async Task An_image_that_another_session_removes_is_loaded_again(int removals, string? errorId)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);

        await StartWhileImagesGo(engine, removals, errorId, path => path == "/containers/create");

        AssertEmpty(engine);
    }

    [Theory]
    [InlineData("GET", "/json", 1, null)]
    [InlineData("GET", "/json", 5, null)]
    [InlineData("GET", "/json", int.MaxValue, "DockerRefused")]
    [InlineData("DELETE", "", 1, null)]
    [InlineData("DELETE", "", 5, null)]
    public async Task An_engine_that_fails_to_answer_about_an_image_is_asked_again(string method, string end, int failures, string? errorId)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        const string Reason = "locating item named 'manifest': file does not exist";
        int left = failures;
        engine.Override = async context =>
        {
            string path = context.Request.Path.Value!;
            if (context.Request.Method != method || !path.StartsWith("/images/", StringComparison.Ordinal) || !path.EndsWith(end, StringComparison.Ordinal) || left-- <= 0)
            {
                return false;
            }

            context.Response.StatusCode = 500;
            await context.Response.WriteAsync(new JsonObject { ["message"] = Reason }.ToJsonString());
            return true;
        };
        var told = new ConcurrentQueue<string>();
        using var runtime = (DockerRuntime)await DockerRuntime.ConnectAsync(engine.Options() with { Report = told.Enqueue }, TestContext.Current.CancellationToken);

        if (errorId is null)
        {
            await (await runtime.StartAsync(Start(image), TestContext.Current.CancellationToken)).DisposeAsync();
            Assert.Equal(failures, told.Count(t => t.Contains(Reason, StringComparison.Ordinal)));
        }
        else
        {
            FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(Start(image), TestContext.Current.CancellationToken));
            Assert.Equal(errorId, error.ErrorId);
            Assert.Contains(Reason, error.Message, StringComparison.Ordinal);
        }

        AssertEmpty(engine);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(4, null)]
    [InlineData(5, "ImageLoadFailed")]
    public async Task An_image_that_another_session_removes_as_soon_as_it_is_loaded_is_loaded_again(int removals, string? errorId)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);

        await StartWhileImagesGo(engine, removals, errorId, path => path.EndsWith("/json", StringComparison.Ordinal) && !engine.Images.IsEmpty);

        Assert.Equal(Math.Min(removals + 1, 5), engine.Requests.Count(r => r.Contains("/images/load", StringComparison.Ordinal)));
        AssertEmpty(engine);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_that_goes_while_the_container_is_made_is_loaded_again(bool goes)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var runtime = (DockerRuntime)await Connect(engine);
        bool hasFailed = false;
        engine.Override = async context =>
        {
            if (context.Request.Path != "/containers/create" || hasFailed)
            {
                return false;
            }

            hasFailed = true;
            if (goes)
            {
                engine.Images.Clear();
            }

            context.Response.StatusCode = 500;
            await context.Response.WriteAsync("""{"message":"layer not known"}""");
            return true;
        };

        if (goes)
        {
            await (await runtime.StartAsync(Start(image), TestContext.Current.CancellationToken)).DisposeAsync();
        }
        else
        {
            FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(Start(image), TestContext.Current.CancellationToken));
            Assert.Equal("DockerRefused", error.ErrorId);
            Assert.Contains("layer not known", error.Message, StringComparison.Ordinal);
        }

        AssertEmpty(engine);
    }

    [Fact]
    public async Task A_tag_on_another_image_is_not_believed()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        string tag = $"localhost/functionbuild:{image.Images.Single(i => i.Platform.Architecture == "amd64").Config.Digest.Hex}";
        (engine.Images[tag], engine.DiffIds[tag]) = (true, new JsonArray("sha256:0"));
        using var runtime = (DockerRuntime)await Connect(engine);

        await (await runtime.StartAsync(Start(image), TestContext.Current.CancellationToken)).DisposeAsync();

        Assert.Single(engine.Requests, r => r.Contains("/images/load", StringComparison.Ordinal));
        AssertEmpty(engine);
    }

    [Fact]
    public async Task An_engine_that_reads_slowly_holds_the_archive_back()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        var rest = new TaskCompletionSource();
        var reading = new TaskCompletionSource();
        engine.Override = async context =>
        {
            if (context.Request.Path == "/images/load")
            {
                await context.Request.Body.ReadExactlyAsync(new byte[64 * 1024]);
                reading.SetResult();
                await rest.Task.WaitAsync(TimeSpan.FromSeconds(60));
            }

            return false;
        };
        FunctionImage image = await BuildBig();
        long loaded = 0;
        using var runtime = (DockerRuntime)await DockerRuntime.ConnectAsync(engine.Options(bytes => Interlocked.Add(ref loaded, bytes)), TestContext.Current.CancellationToken);
        using var cancellation = new CancellationTokenSource();
        Task<RunningFunction> starting = runtime.StartAsync(Start(image), cancellation.Token);
        await reading.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        long before;
        do
        {
            before = Interlocked.Read(ref loaded);
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }
        while (Interlocked.Read(ref loaded) != before);

        Assert.InRange(before, 1, Buffers);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        rest.SetResult();
        AssertEmpty(engine);
    }

    [Fact]
    public async Task An_engine_that_dies_while_it_loads_is_an_error()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.Override = async context =>
        {
            if (context.Request.Path == "/images/load")
            {
                await context.Request.Body.ReadExactlyAsync(new byte[64 * 1024]);
                context.Abort();
                return true;
            }

            return false;
        };
        using var runtime = (DockerRuntime)await Connect(engine);
        FunctionImage image = await BuildBig();

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(Start(image), TestContext.Current.CancellationToken));

        Assert.Equal("DockerUnavailable", error.ErrorId);
        Assert.Contains("load the image of function 'function-a'", error.Message, StringComparison.Ordinal);
        AssertEmpty(engine);
    }

    [Theory]
    [InlineData(200, """{"stream":"one"}{"errorDetail":{"message":"no space left"},"error":"no space left"}""")]
    [InlineData(500, """{"message":"no space left"}""")]
    [InlineData(500, "no space left")]
    public async Task An_engine_that_cannot_load_says_why(int status, string answer)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.Override = async context =>
        {
            if (context.Request.Path != "/images/load")
            {
                return false;
            }

            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(answer);
            return true;
        };
        using var runtime = (DockerRuntime)await Connect(engine);
        FunctionImage image = await _folder.BuildTwoPlatforms();

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(Start(image), TestContext.Current.CancellationToken));

        Assert.Equal("ImageLoadFailed", error.ErrorId);
        Assert.Contains("no space left", error.Message, StringComparison.Ordinal);
        AssertEmpty(engine);
    }

    [Fact]
    public async Task A_blob_that_changed_is_the_error_and_not_the_upload_that_broke()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        using var runtime = (DockerRuntime)await Connect(engine);
        FunctionImage image = await BuildBig();
        foreach (string blob in Directory.EnumerateFiles(Path.Combine(_folder.Workspace.Path, "blobs", "sha256")).Where(f => new FileInfo(f).Length > 1_000_000).Append(_folder.Combine("function-a-0.tar")))
        {
            await using FileStream file = File.OpenWrite(blob);
            file.Position = file.Length / 2;
            file.Write("changed"u8);
        }

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(Start(image), TestContext.Current.CancellationToken));

        Assert.Equal("BlobChanged", error.ErrorId);
        AssertEmpty(engine);
    }

    [Theory]
    [InlineData("GET /images/")]
    [InlineData("POST /images/load")]
    [InlineData("POST /containers/create")]
    [InlineData("/start")]
    [InlineData("GET /containers/")]
    public async Task A_start_can_be_cancelled_in_every_phase_and_leaves_nothing(string phase)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        using var runtime = (DockerRuntime)await Connect(engine);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        engine.HangAt = phase;
        using var cancellation = new CancellationTokenSource();
        Task<RunningFunction> starting = runtime.StartAsync(Start(image), cancellation.Token);
        await engine.Reached;

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        AssertEmpty(engine);
    }

    [Fact]
    public async Task A_function_that_still_runs_when_the_process_ends_is_removed()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var runtime = (DockerRuntime)await Connect(engine);
        var function = (DockerFunction)await runtime.StartAsync(Start(image), TestContext.Current.CancellationToken);

        await function.AbandonAsync().WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        AssertEmpty(engine);
    }

    [Fact]
    public async Task An_engine_that_is_not_there_is_named_in_the_error()
    {
        var options = new RuntimeOptions { Environment = new(v => v == "DOCKER_HOST" ? $"unix://{_folder.Combine("none.sock")}" : null, _folder.Path) };

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => DockerRuntime.ConnectAsync(options, TestContext.Current.CancellationToken));

        Assert.Equal("DockerUnavailable", error.ErrorId);
        Assert.Contains("none.sock", error.Message, StringComparison.Ordinal);
        Assert.Contains("DOCKER_HOST", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_of_another_architecture_lists_what_there_is()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.Architecture = "s390x";
        using var runtime = (DockerRuntime)await Connect(engine);
        FunctionImage image = await _folder.BuildTwoPlatforms();

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(Start(image), TestContext.Current.CancellationToken));

        Assert.Equal("ImageForAnotherPlatform", error.ErrorId);
        Assert.All((string[])["linux/s390x", "linux/amd64", "linux/arm64"], p => Assert.Contains(p, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1:5000/acme/function-a:v1", "127.0.0.1:5000/acme/function-a", "v1")]
    [InlineData("acme/function-a", "docker.io/acme/function-a", "latest")]
    public async Task A_reference_is_pulled_with_the_credentials_that_are_there(string reference, string name, string tag)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.AuthFile = _folder.Write("auth.json", Encoding.UTF8.GetBytes($$$"""{"auths":{"127.0.0.1:5000":{"auth":"{{{Convert.ToBase64String("me:secret"u8)}}}"} } }"""));
        string? authorization = null;
        string? query = null;
        engine.Override = async context =>
        {
            if (context.Request.Path != "/images/create")
            {
                return false;
            }

            authorization = context.Request.Headers["X-Registry-Auth"];
            query = $"{context.Request.Query["fromImage"]} {context.Request.Query["tag"]}";
            engine.Images[reference] = true;
            await context.Response.WriteAsync("""{"status":"Pulled"}""");
            return true;
        };
        using var runtime = (DockerRuntime)await Connect(engine);

        await (await runtime.StartAsync(new FunctionStart("function-a") { Reference = reference }, TestContext.Current.CancellationToken)).DisposeAsync();

        Assert.Equal($"{name} {tag}", query);
        if (name.StartsWith("127", StringComparison.Ordinal))
        {
            JsonNode decoded = JsonNode.Parse(Convert.FromBase64String(authorization!.Replace('-', '+').Replace('_', '/')))!;
            Assert.Equal("me", decoded["username"]!.GetValue<string>());
            Assert.Equal("secret", decoded["password"]!.GetValue<string>());
        }

        Assert.Empty(engine.Containers);
        Assert.Equal([reference], engine.Images.Keys);
    }

    [Fact]
    public async Task A_pull_that_fails_says_why()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        engine.Override = async context =>
        {
            if (context.Request.Path != "/images/create")
            {
                return false;
            }

            await context.Response.WriteAsync("""{"status":"Pulling"}{"errorDetail":{"message":"denied"},"error":"denied"}""");
            return true;
        };
        using var runtime = (DockerRuntime)await Connect(engine);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart("function-a") { Reference = "acme/function-a:v1" }, TestContext.Current.CancellationToken));

        Assert.Equal("ImagePullFailed", error.ErrorId);
        Assert.Contains("denied", error.Message, StringComparison.Ordinal);
        AssertEmpty(engine);
    }

    [Theory]
    [InlineData(PullPolicy.Always, true, 1)]
    [InlineData(PullPolicy.IfNotPresent, true, 0)]
    [InlineData(PullPolicy.IfNotPresent, false, 1)]
    [InlineData(PullPolicy.Never, true, 0)]
    public async Task The_policy_decides_about_pulls(PullPolicy policy, bool isThere, int pulls)
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        const string Reference = "acme/function-a:v1";
        if (isThere)
        {
            engine.Images[Reference] = true;
        }

        engine.Override = async context =>
        {
            if (context.Request.Path != "/images/create")
            {
                return false;
            }

            engine.Images[Reference] = true;
            await context.Response.WriteAsync("{}");
            return true;
        };
        using var runtime = (DockerRuntime)await Connect(engine);

        await (await runtime.StartAsync(new FunctionStart("function-a") { Reference = Reference, PullPolicy = policy }, TestContext.Current.CancellationToken)).DisposeAsync();

        Assert.Equal(pulls, engine.Requests.Count(r => r.Contains("/images/create", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_image_that_may_not_be_pulled_is_not_found()
    {
        await using FakeEngine engine = await FakeEngine.Start(_folder);
        using var runtime = (DockerRuntime)await Connect(engine);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(new FunctionStart("function-a") { Reference = "acme/function-a:v1", PullPolicy = PullPolicy.Never }, TestContext.Current.CancellationToken));

        Assert.Equal("ImageNotFound", error.ErrorId);
        AssertEmpty(engine);
    }

    private static FunctionStart Start(FunctionImage image, string name = "function-a") => new(name) { Image = image };

    private static Task<IFunctionRuntime> Connect(FakeEngine engine) => DockerRuntime.ConnectAsync(engine.Options(), TestContext.Current.CancellationToken);

    /// <summary>Starts a function while another session removes all images, so many times, when the engine is asked for certain paths.</summary>
    private async Task StartWhileImagesGo(FakeEngine engine, int removals, string? errorId, Predicate<string> when)
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var runtime = (DockerRuntime)await Connect(engine);
        int left = removals;
        engine.Override = context =>
        {
            if (when(context.Request.Path.Value!) && left-- > 0)
            {
                engine.Images.Clear();
            }

            return Task.FromResult(false);
        };

        if (errorId is null)
        {
            await (await runtime.StartAsync(Start(image), TestContext.Current.CancellationToken)).DisposeAsync();
        }
        else
        {
            Assert.Equal(errorId, (await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(Start(image), TestContext.Current.CancellationToken))).ErrorId);
        }
    }

    private static void AssertEmpty(FakeEngine engine)
    {
        Assert.Empty(engine.Containers);
        Assert.Empty(engine.Images);
    }

    private async Task<FunctionImage> BuildBig() =>
        await (await _folder.ImportGroup([new FixtureImage { Layers = [FixtureImage.Layer("big", BigLayer)] }])).Build(new BuildOptions { CompressionLevel = 1 });
}
