using System.Text.RegularExpressions;

namespace FunctionBuild.Core.Packages;

/// <summary>
/// The grammar of Crossplane's version constraints, that of Masterminds/semver version 3:
/// <c>&gt;=v1.14.0, &lt;2 || ~3.1 || 1.2 - 1.4</c>.
/// </summary>
internal static partial class VersionConstraint
{
    private const string Space = @"[\t\n\f\r ]";
    private const string Number = "[0-9]{1,19}";

    // What follows a wildcard is not looked at, as long as it is made of digits and wildcards.
    private const string Numbers = $@"(?:{Number}(?:\.{Number}(?:\.(?:{Number}|[xX*]))?|\.[xX*](?:\.[0-9xX*]+)?)?|[xX*](?:\.[0-9xX*]+){{0,2}})";
    private const string Identifier = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
    private const string Version = $@"v?{Numbers}(?:-{Identifier}(?:\.{Identifier})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?";
    private const string Term = $@"(?:(?:!=|>=|=>|<=|=<|~>|=|>|<|~|\^)?{Space}*{Version})";
    private const string Range = $"(?:{Version}{Space}+-{Space}+{Version})";

    // A range must be what its alternative, or what follows a comma, begins with, and a space must stand between '||' and it.
    private const string More = $"(?:(?:{Space}+|{Space}*,{Space}*){Term}|{Space}*,{Space}*{Range})*{Space}*";

    /// <summary>Whether the text is a constraint.</summary>
    public static bool IsValid(string text) => Grammar().IsMatch(text);

    [GeneratedRegex($@"\A{Space}*(?:{Term}|{Range}){More}(?:\|\|(?:{Space}*{Term}|{Space}+{Range}){More})*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Grammar();
}
