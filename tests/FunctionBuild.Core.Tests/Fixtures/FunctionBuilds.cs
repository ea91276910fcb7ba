using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tarballs;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Imports images and builds packages of them.</summary>
internal static class FunctionBuilds
{
    public const string Repository = "example.org/acme/platform";

    public static FunctionMetadata Metadata { get; } = MetadataWriter.Synthesise(new MetadataOptions { Name = "function-a" });

    /// <summary>Two platforms of one function that share their lowest layer.</summary>
    public static IReadOnlyList<FixtureImage> TwoPlatforms(string function = "a") =>
    [
        new FixtureImage { Architecture = "amd64", Layers = [FixtureImage.Layer("shared", 200_000), FixtureImage.Layer($"{function}-amd64", 5_000)] },
        new FixtureImage { Architecture = "arm64", Layers = [FixtureImage.Layer("shared", 200_000), FixtureImage.Layer($"{function}-arm64", 5_000)] },
    ];

    /// <summary>Imports images, each from a tarball of its own.</summary>
    public static async Task<FunctionGroup> ImportGroup(this TestFolder folder, IEnumerable<FixtureImage> images, string name = "function-a", FunctionMetadata? metadata = null, Func<FixtureImage, byte[]>? tarball = null)
    {
        var runtimes = new List<RuntimeImage>();
        foreach (FixtureImage image in images)
        {
            byte[] content = tarball?.Invoke(image) ?? DockerArchive.Nix(image).Build();
            runtimes.AddRange(await folder.Import(content, $"{name}-{runtimes.Count}.tar"));
        }

        return new FunctionGroup(name, $"{Repository}_{name}", metadata ?? Metadata, runtimes);
    }

    public static Task<FunctionImage> Build(this FunctionGroup group, BuildOptions? options = null) =>
        FunctionImageBuilder.BuildAsync(group, options ?? new BuildOptions(), TestContext.Current.CancellationToken);

    /// <summary>Imports the two platforms of a function and builds its package.</summary>
    public static async Task<FunctionImage> BuildTwoPlatforms(this TestFolder folder, string function = "a", BuildOptions? options = null) =>
        await (await folder.ImportGroup(TwoPlatforms(function), $"function-{function}")).Build(options);
}
