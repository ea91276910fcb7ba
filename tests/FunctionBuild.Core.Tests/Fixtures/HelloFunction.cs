using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

[assembly: AssemblyFixture(typeof(HelloFunction))]

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>
/// <c>examples/function-hello</c>, published for this machine's architecture and packed as a gzipped image tarball when
/// a test first asks for it, once in a run.
/// </summary>
public sealed class HelloFunction : IAsyncDisposable
{
    public const string Name = "function-hello";

    private static readonly TimeSpan PublishTime = TimeSpan.FromMinutes(8);

    private readonly TestFolder _folder = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Lazy<Task<string>> _tarball;
    private readonly Lazy<Task<FunctionImage>> _image;

    public HelloFunction()
    {
        _tarball = new Lazy<Task<string>>(PackAsync);
        _image = new Lazy<Task<FunctionImage>>(() => BuildAsync(_folder.Workspace));
    }

    /// <summary>The tarball. Skips the test where it cannot be made.</summary>
    public async Task<string> GetTarballAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image's shared libraries are taken from a Linux machine.");
        return await _tarball.Value.WaitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The package, in a workspace that all tests share. Skips the test where it cannot be made.</summary>
    public async Task<FunctionImage> GetImageAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image's shared libraries are taken from a Linux machine.");
        return await _image.Value.WaitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The package, in the workspace of a test's own folder.</summary>
    /// <param name="folder">The test's folder.</param>
    /// <param name="change">Changes the image's config, so that the function does what it should not.</param>
    internal async Task<FunctionImage> GetImageAsync(TestFolder folder, Action<JsonObject>? change = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image's shared libraries are taken from a Linux machine.");
        await _tarball.Value.WaitAsync(TestContext.Current.CancellationToken);
        return await BuildAsync(folder.Workspace, change);
    }

    /// <summary>The package, in a workspace of a test's own.</summary>
    internal async Task<FunctionImage> GetImageAsync(BuildWorkspace workspace)
    {
        await GetTarballAsync();
        return await BuildAsync(workspace);
    }

    /// <summary>A change of the config that gives the function more arguments than the runtime's own.</summary>
    internal static Action<JsonObject> WithArguments(params string[] arguments) => config =>
    {
        JsonArray entrypoint = config["config"]!["Entrypoint"]!.AsArray();
        Array.ForEach(arguments, a => entrypoint.Add(a));
    };

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_tarball.IsValueCreated)
        {
            await _tarball.Value.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        _end.Dispose();
        _folder.Dispose();
    }

    private async Task<FunctionImage> BuildAsync(BuildWorkspace workspace, Action<JsonObject>? change = null)
    {
        string tarball = await _tarball.Value;
        IReadOnlyList<RuntimeImage> runtimes = await TarballImporter.ImportAsync(workspace, tarball, new ImportOptions(), null, _end.Token);
        if (change is not null)
        {
            JsonObject config = JsonNode.Parse(runtimes[0].Config.Json.Span)!.AsObject();
            change(config);
            runtimes = [runtimes[0] with { Config = ImageConfig.Parse(Encoding.UTF8.GetBytes(config.ToJsonString())) }];
        }

        var group = new FunctionGroup(Name, $"registry.example.com/acme/{Name}", MetadataWriter.Synthesise(new MetadataOptions { Name = Name }), runtimes);
        return await FunctionImageBuilder.BuildAsync(group, new BuildOptions(), _end.Token);
    }

    private async Task<string> PackAsync()
    {
        (string runtime, string architecture) = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => ("linux-x64", "amd64"),
            Architecture.Arm64 => ("linux-arm64", "arm64"),
            Architecture other => throw new PlatformNotSupportedException($"function-hello is not published for {other}."),
        };
        string examples = Path.Combine(RepositoryRoot(), "examples");
        string published = _folder.Combine("published");
        string tarball = _folder.Combine($"{Name}-{architecture}.tar.gz");
        await DotnetAsync(["publish", Path.Combine(examples, Name), "--configuration", "Release", "--runtime", runtime, "--self-contained", "--output", published, "--verbosity", "quiet", "-nologo"]);
        await DotnetAsync(["run", "--project", Path.Combine(examples, "pack-image"), "--configuration", "Release", "--", published, tarball, $"{Name}:latest", "libssl.so.3"]);
        return tarball;
    }

    private async Task DotnetAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        // No build process outlives this one.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        limit.CancelAfter(PublishTime);
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            string output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{await errors}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static string RepositoryRoot()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "FunctionBuild.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"No folder above '{AppContext.BaseDirectory}' holds FunctionBuild.sln.");
    }
}
