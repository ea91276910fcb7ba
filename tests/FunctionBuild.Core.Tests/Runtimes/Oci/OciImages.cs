using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Oci;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Runtimes.Oci;

/// <summary>Functions for an OCI runtime, and what tests do with them.</summary>
internal static class OciImages
{
    /// <summary>The collection of tests that run a function in the machine's network: its port can be had by one at a time.</summary>
    public const string MachinePort = "the machine's port";

    public const string Program = "/app/function-hello";

    /// <summary>Names a runtime other than the first that is found.</summary>
    public const string RuntimeVariable = "FUNCTIONBUILD_TEST_OCI_RUNTIME";

    /// <summary>Skips the test where no runtime is installed.</summary>
    public static OciRuntime Runtime(OciRuntimeOptions? options = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "OCI runtimes run on Linux.");
        try
        {
            return OciRuntime.Find((options ?? new OciRuntimeOptions()) with { Runtime = Environment.GetEnvironmentVariable(RuntimeVariable) });
        }
        catch (FunctionBuildException e) when (e.ErrorId == "OciRuntimeMissing")
        {
            Assert.Skip(e.Message);
            throw;
        }
    }

    /// <summary>The same image with another config: what <paramref name="change"/> makes of its <c>config</c> object.</summary>
    public static FunctionImage WithConfig(this FunctionImage function, Action<JsonObject> change)
    {
        PlatformImage image = function.Images[0];
        using var reader = new StreamReader(image.Config.OpenRead());
        JsonObject root = JsonNode.Parse(reader.ReadToEnd())!.AsObject();
        change(root["config"]!.AsObject());
        PlatformImage changed = image with { Config = function.Workspace.Blobs.Put(Encoding.UTF8.GetBytes(root.ToJsonString())) };
        return function with { Images = [changed] };
    }

    public static FunctionImage WithCommand(this FunctionImage function, params string[] command) =>
        function.WithConfig(c => c["Entrypoint"] = new JsonArray([.. command.Select(a => JsonValue.Create(a))]));

    public static FunctionStart ToStart(this FunctionImage function, string name = HelloFunction.Name) => new(name) { Image = function };

    /// <summary>Starts a function that must not start; looks that nothing of it is left.</summary>
    public static async Task<FunctionBuildException> FailToStart(this OciRuntime runtime, FunctionStart start, BuildWorkspace workspace)
    {
        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => runtime.StartAsync(start, TestContext.Current.CancellationToken));
        await OciTraces.AssertGoneAsync(workspace);
        return e;
    }

    /// <summary>Imports an image of these layers and builds its package.</summary>
    public static async Task<FunctionImage> BuildFrom(this TestFolder folder, IReadOnlyList<byte[]> layers, BuildOptions? options = null, string? architecture = null)
    {
        var image = new FixtureImage { Architecture = architecture ?? MachinePlatform.Architecture, Layers = layers };
        return await (await folder.ImportGroup([image])).Build(options);
    }
}
