namespace FunctionBuild.Help.Cmdlets;

/// <summary>A cmdlet, as the assembly declares it.</summary>
public sealed record CmdletDescription
{
    /// <summary>The verb.</summary>
    public required string Verb { get; init; }

    /// <summary>The noun.</summary>
    public required string Noun { get; init; }

    /// <summary>Verb and noun.</summary>
    public string Name => $"{Verb}-{Noun}";

    /// <summary>The names of the parameter sets, the default one first.</summary>
    public required IReadOnlyList<string> Sets { get; init; }

    /// <summary>The parameters, in the order of their declaration; those that PowerShell adds are last.</summary>
    public required IReadOnlyList<CmdletParameter> Parameters { get; init; }

    /// <summary>Full names of the types that it says it writes.</summary>
    public required IReadOnlyList<string> OutputTypes { get; init; }

    /// <summary>The parameters of a set in the order in which syntax shows them: by position, then mandatory ones, then the others.</summary>
    public IReadOnlyList<CmdletParameter> ParametersOf(string set) =>
    [
        .. Parameters
            .Where(p => p.In(set) is not null)
            .OrderBy(p => p.In(set)!.Position ?? int.MaxValue)
            .ThenBy(p => p.In(set)!.Mandatory ? 0 : 1),
    ];
}
