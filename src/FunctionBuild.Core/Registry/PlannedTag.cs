using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>What would become of a tag.</summary>
/// <param name="Reference">The reference with the tag.</param>
/// <param name="Change">Whether it is new, moves or stays.</param>
/// <param name="Current">What it points at now; null when it is new, or the registry does not tell.</param>
public sealed record PlannedTag(string Reference, TagChange Change, Digest? Current)
{
    /// <summary>Reference and change.</summary>
    public override string ToString() => $"{Reference} ({Change})";
}
