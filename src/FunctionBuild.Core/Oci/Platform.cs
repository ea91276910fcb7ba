namespace FunctionBuild.Core.Oci;

/// <summary>
/// What an image runs on, in the terms of the OCI image index ("platform"): the Go names of operating
/// system and architecture.
/// </summary>
/// <param name="Os">Operating system, such as <c>linux</c>.</param>
/// <param name="Architecture">CPU architecture, such as <c>amd64</c> or <c>arm64</c>.</param>
/// <param name="Variant">Variant of the architecture, such as <c>v7</c>; null when the config names none.</param>
/// <param name="OsVersion">Version of the operating system (Windows); null when the config names none.</param>
public sealed record Platform(string Os, string Architecture, string? Variant = null, string? OsVersion = null)
{
    /// <summary>The architectures that Go knows, in the order in which they are offered for completion.</summary>
    public static IReadOnlyList<string> KnownArchitectures { get; } =
        ["amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64", "mips64le", "mips64", "mipsle", "mips", "ppc64"];

    /// <summary><c>os/architecture[/variant]</c>, as the tools of the field write it.</summary>
    public override string ToString()
    {
        string text = Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";
        return OsVersion is null ? text : $"{text} ({OsVersion})";
    }
}
