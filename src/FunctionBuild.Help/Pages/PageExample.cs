namespace FunctionBuild.Help.Pages;

/// <summary>An example on a page.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Code">What to type, lines separated by LF.</param>
/// <param name="Remarks">What there is to say about it.</param>
public sealed record PageExample(string Title, string Code, IReadOnlyList<HelpBlock> Remarks);
