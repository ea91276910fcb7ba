using System.Diagnostics.CodeAnalysis;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>An API version of Kubernetes: <c>v1</c> of the core group, or <c>group/version</c>.</summary>
/// <param name="Group">The group; empty for the core group.</param>
/// <param name="Version">The version.</param>
internal sealed record ApiVersion(string Group, string Version)
{
    /// <summary>That of an object that has none.</summary>
    public static ApiVersion None { get; } = new(string.Empty, string.Empty);

    /// <summary>Reads an object's <c>apiVersion</c>; false when it has more than one slash.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ApiVersion? version)
    {
        version = text.Split('/') switch
        {
            [var only] => new ApiVersion(string.Empty, only),
            [var group, var part] => new ApiVersion(group, part),
            _ => null,
        };
        return version is not null;
    }
}
