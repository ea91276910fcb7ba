namespace FunctionBuild.Help.Pages;

/// <summary>A piece of a page, as plain text.</summary>
public abstract record HelpBlock
{
    /// <summary>Running text.</summary>
    /// <param name="Text">On one line.</param>
    public sealed record Paragraph(string Text) : HelpBlock;

    /// <summary>A list.</summary>
    /// <param name="Items">Each with its mark, on one line.</param>
    public sealed record List(IReadOnlyList<string> Items) : HelpBlock;

    /// <summary>A fenced block.</summary>
    /// <param name="Language">The language named at the fence; empty when none is.</param>
    /// <param name="Text">The lines, separated by LF.</param>
    public sealed record Code(string Language, string Text) : HelpBlock;
}
