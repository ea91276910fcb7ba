using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>What a registry has at a tag or digest.</summary>
/// <param name="Exists">Whether there is anything.</param>
/// <param name="Digest">Its digest; null when there is nothing, or the registry does not tell.</param>
internal readonly record struct ManifestState(bool Exists, Digest? Digest);
