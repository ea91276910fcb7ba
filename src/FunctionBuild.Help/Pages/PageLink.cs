namespace FunctionBuild.Help.Pages;

/// <summary>A link on a page.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Target">Where it leads: an address, or a file beside the page.</param>
public sealed record PageLink(string Text, string Target);
