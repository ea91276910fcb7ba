using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>One platform's manifest in the registry.</summary>
/// <param name="Platform">What it runs on.</param>
/// <param name="Digest">The manifest's digest.</param>
public sealed record PushedPlatform(Platform Platform, Digest Digest)
{
    /// <summary>Platform and short digest.</summary>
    public override string ToString() => $"{Platform} {Digest.ShortHex}";
}
