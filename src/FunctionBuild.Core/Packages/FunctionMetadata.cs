namespace FunctionBuild.Core.Packages;

/// <summary>A function package's metadata: one <c>Function</c> object, the CRDs beside it, and examples.</summary>
public sealed record FunctionMetadata
{
    /// <summary>Name of the package's <c>Function</c> object.</summary>
    public required string Name { get; init; }

    /// <summary><c>meta.pkg.crossplane.io/v1</c> or <c>v1beta1</c>.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>The Crossplane versions that the package works with, a semver constraint; null when it names none.</summary>
    public string? CrossplaneVersion { get; init; }

    /// <summary>What the function can do, such as <c>composition</c>; in the order written.</summary>
    public IReadOnlyList<string> Capabilities { get; init => field = ReadOnly.Copy(value); } = ReadOnly.Copy<string>([]);

    /// <summary>Annotations of the <c>Function</c> object.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of the CRDs, in the order written.</summary>
    public IReadOnlyList<string> CustomResourceDefinitions { get; init => field = ReadOnly.Copy(value); } = ReadOnly.Copy<string>([]);

    /// <summary>The content of <c>package.yaml</c>: a stream of YAML documents with LF line ends, the <c>Function</c> first.</summary>
    public required string Yaml { get; init; }

    /// <summary>The content of <c>.up/examples.yaml</c>; null when there are no examples.</summary>
    public string? Examples { get; init; }

    /// <summary>The package's name.</summary>
    public override string ToString() => Name;
}
