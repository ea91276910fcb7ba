using System.Runtime.InteropServices;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>What this machine can run.</summary>
internal static class MachinePlatform
{
    /// <summary>The machine's architecture, by Go's name.</summary>
    public static string Architecture => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        System.Runtime.InteropServices.Architecture.Armv6 => "arm",
        System.Runtime.InteropServices.Architecture.LoongArch64 => "loong64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>A function's image for this machine; of several variants the least demanding.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>ImageForAnotherPlatform</c>.</exception>
    public static PlatformImage Choose(FunctionImage function, string name) =>
        function.Images
            .Where(i => i.Platform.Os == "linux" && i.Platform.Architecture == Architecture)
            .OrderBy(i => i.Platform.Variant, StringComparer.Ordinal)
            .FirstOrDefault()
        ?? throw new FunctionBuildException(
            "ImageForAnotherPlatform",
            FaultKind.NotFound,
            $"Function '{name}' has no image for this machine, linux/{Architecture}; there are images for {string.Join(", ", function.Images.Select(i => i.Platform.ToString()).Order(StringComparer.Ordinal))}. Import a tarball for linux/{Architecture} as well.",
            name);
}
