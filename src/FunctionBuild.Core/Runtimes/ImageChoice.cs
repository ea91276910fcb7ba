using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Runtimes;

/// <summary>Chooses the image that can be run.</summary>
internal static class ImageChoice
{
    /// <summary>A function's image for a platform; of several variants the least demanding.</summary>
    /// <param name="function">The function.</param>
    /// <param name="platform">Operating system and architecture.</param>
    /// <param name="runner">Who runs it, for people: <c>this machine</c>.</param>
    /// <param name="otherwise">What else helps besides an image for that platform: the end of a sentence.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>ImageForAnotherPlatform</c>.</exception>
    public static PlatformImage Choose(FunctionImage function, Platform platform, string runner, string otherwise) =>
        function.Images
            .Where(i => i.Platform.Os == platform.Os && i.Platform.Architecture == platform.Architecture)
            .OrderBy(i => i.Platform.Variant, StringComparer.Ordinal)
            .FirstOrDefault()
        ?? throw new FunctionBuildException(
            "ImageForAnotherPlatform",
            FaultKind.NotFound,
            $"Function '{function.Name}' has no image for {platform}, which {runner} runs; there is {string.Join(", ", function.Images.Select(i => i.Platform.ToString()).Order(StringComparer.Ordinal))}. Import a tarball for that platform too{otherwise}.",
            function);
}
