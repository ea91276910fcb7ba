using System.Management.Automation;

namespace FunctionBuild.Tests.Fixtures;

/// <summary>What a script gave.</summary>
/// <param name="Output">Objects.</param>
/// <param name="Errors">Errors that it survived.</param>
/// <param name="Ended">The error that ended it; null when none did.</param>
/// <param name="Verbose">Verbose messages.</param>
/// <param name="Warnings">Warnings.</param>
/// <param name="Progress">Progress records.</param>
internal sealed record ShellResult(
    IReadOnlyList<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    ErrorRecord? Ended,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<ProgressRecord> Progress)
{
    /// <summary>The ids of the errors that it survived, as scripts know them, without the command.</summary>
    public IEnumerable<string> ErrorIds => Errors.Select(IdOf);

    /// <summary>The id of the error that ended it.</summary>
    public string? EndedBy => Ended is null ? null : IdOf(Ended);

    private static string IdOf(ErrorRecord error) => error.FullyQualifiedErrorId.Split(',')[0];
}
