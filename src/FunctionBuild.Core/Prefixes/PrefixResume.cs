namespace FunctionBuild.Core.Prefixes;

/// <summary>Where the reading of a tarball goes on, because what comes before is known from another.</summary>
/// <param name="Mark">The point.</param>
/// <param name="Passed">The entries before the one that it lies in, in the order of the tarball.</param>
/// <param name="Current">The entry that it lies in, as the other tarball has it: equal up to the point.</param>
internal sealed record PrefixResume(PrefixMark Mark, IReadOnlyList<PassedEntry> Passed, PassedEntry Current);
