using System.Runtime.InteropServices;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>What this machine can run.</summary>
internal static class MachinePlatform
{
    /// <summary>The machine's platform.</summary>
    public static Platform Platform => new("linux", Architecture);

    /// <summary>The machine's architecture, by Go's name.</summary>
    public static string Architecture => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        System.Runtime.InteropServices.Architecture.Armv6 => "arm",
        System.Runtime.InteropServices.Architecture.LoongArch64 => "loong64",
        var other => other.ToString().ToLowerInvariant(),
    };
}
