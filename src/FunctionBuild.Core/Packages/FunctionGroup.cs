using FunctionBuild.Core.Tarballs;

namespace FunctionBuild.Core.Packages;

/// <summary>The runtime images of one function, and what its package is to be.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="Repository">The repository that it is published to, without tag.</param>
/// <param name="Metadata">The package's metadata.</param>
/// <param name="Images">One runtime image per platform.</param>
public sealed record FunctionGroup(string Name, string Repository, FunctionMetadata Metadata, IReadOnlyList<RuntimeImage> Images);
