namespace FunctionBuild.Core.Packages;

/// <summary>What synthesised metadata say.</summary>
public sealed record MetadataOptions
{
    /// <summary>Name of the <c>Function</c> object.</summary>
    public required string Name { get; init; }

    /// <summary>A semver constraint on Crossplane; none when null.</summary>
    public string? CrossplaneVersion { get; init; }

    /// <summary>What the function can do.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = DefaultCapabilities;

    /// <summary>Annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>The capabilities of a project's embedded function: <c>composition</c> and <c>operation</c>.</summary>
    public static IReadOnlyList<string> DefaultCapabilities { get; } = ["composition", "operation"];
}
