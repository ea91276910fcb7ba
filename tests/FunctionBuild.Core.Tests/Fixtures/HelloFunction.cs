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

    private readonly TestFolder _folder = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Lazy<Task<string>> _tarball;
    private readonly Lazy<Task<FunctionImage>> _image;

    public HelloFunction()
    {
        _tarball = new Lazy<Task<string>>(() => FunctionPacker.PackAsync(Path.Combine("examples", Name), Name, _folder, _end.Token));
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
}
