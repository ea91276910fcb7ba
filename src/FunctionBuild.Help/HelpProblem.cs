using System.Globalization;

namespace FunctionBuild.Help;

/// <summary>Something that keeps help from being made: which page, where, and what is wrong.</summary>
/// <param name="File">The page; the folder when a page is missing.</param>
/// <param name="Line">The line in the page, from 1.</param>
/// <param name="Message">What is wrong and what to do.</param>
public sealed record HelpProblem(string File, int Line, string Message)
{
    /// <summary>In the form in which build tools and editors recognise an error.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}({Line}): error HELP: {Message}");
}
