namespace FunctionBuild.Help.Pages;

/// <summary>A heading and what stands under it.</summary>
/// <param name="Title">The heading, as plain text.</param>
/// <param name="Line">Its line in the page, from 1.</param>
public sealed record PageSection(string Title, int Line)
{
    /// <summary>What stands before the first heading below this one.</summary>
    public List<HelpBlock> Blocks { get; } = [];

    /// <summary>Links in these blocks.</summary>
    public List<PageLink> Links { get; } = [];

    /// <summary>The sections one level below.</summary>
    public List<PageSection> Sections { get; } = [];

    /// <summary>The section of a title one level below; null when there is none.</summary>
    public PageSection? Find(string title) => Sections.Find(s => s.Title.Equals(title, StringComparison.OrdinalIgnoreCase));
}
