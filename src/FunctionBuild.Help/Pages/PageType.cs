namespace FunctionBuild.Help.Pages;

/// <summary>A type that a cmdlet takes from the pipeline or writes to it.</summary>
/// <param name="Name">Its full name, or <c>None</c>.</param>
/// <param name="Description">What it is to the cmdlet.</param>
public sealed record PageType(string Name, IReadOnlyList<HelpBlock> Description);
