namespace FunctionBuild.Help.Cmdlets;

/// <summary>A parameter of a cmdlet, as the assembly declares it.</summary>
public sealed record CmdletParameter
{
    /// <summary>Key in <see cref="Sets"/> of a parameter that belongs to all sets.</summary>
    public const string AllSets = "__AllParameterSets";

    /// <summary>The name, without dash.</summary>
    public required string Name { get; init; }

    /// <summary>The type as help shows it, such as <c>String[]</c>.</summary>
    public required string TypeName { get; init; }

    /// <summary>Full name of the type, or of its elements when it is an array.</summary>
    public required string ElementType { get; init; }

    /// <summary>Whether it is a switch.</summary>
    public bool IsSwitch { get; init; }

    /// <summary>Whether it takes several values.</summary>
    public bool IsArray { get; init; }

    /// <summary>Whether wildcards in its values are expanded.</summary>
    public bool Globbing { get; init; }

    /// <summary>Whether PowerShell adds it to the cmdlet; its text is fixed, and no page has it.</summary>
    public bool IsCommon { get; init; }

    /// <summary>Other names.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>The values that are allowed; empty when there is no such list.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>How it takes part in each set that it belongs to.</summary>
    public required IReadOnlyDictionary<string, ParameterInSet> Sets { get; init; }

    /// <summary>How it takes part in a set; null when it does not.</summary>
    public ParameterInSet? In(string set) => Sets.GetValueOrDefault(set) ?? Sets.GetValueOrDefault(AllSets);
}
