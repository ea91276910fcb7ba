namespace FunctionBuild.Core.Packages;

/// <summary>The rules that a function's metadata must keep, wherever they come from.</summary>
internal static class MetadataRules
{
    private const int MaximumLabel = 63;

    /// <summary>The name must be a DNS label (RFC 1123).</summary>
    public static void CheckName(string? name, Func<string, string, MetadataException> error)
    {
        bool valid = name is { Length: > 0 and <= MaximumLabel }
            && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            && name[0] != '-' && name[^1] != '-';
        if (!valid)
        {
            throw error("metadata.name", $"'{name}' is not a DNS label: expected at most {MaximumLabel} lower-case letters, digits and dashes, beginning and ending with a letter or digit.");
        }
    }

    /// <summary>The constraint must be one that Crossplane can parse.</summary>
    public static void CheckConstraint(string constraint, Func<string, string, MetadataException> error)
    {
        if (!VersionConstraint.IsValid(constraint))
        {
            throw error("spec.crossplane.version", $"'{constraint}' is not a version constraint. Expected something like '>=v1.20.0', '>=1.20, <3' or '~1.20 || ^2'.");
        }
    }
}
