namespace FunctionBuild.Help.Pages;

/// <summary>What a page says about a parameter.</summary>
/// <param name="Description">What it does.</param>
/// <param name="Default">The value when it is not given; null when the page names none.</param>
public sealed record PageParameter(IReadOnlyList<HelpBlock> Description, string? Default);
