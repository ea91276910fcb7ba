using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace FunctionBuild.Help.Pages;

/// <summary>
/// Reads a Markdown page into sections of plain text. What help text cannot show (tables, images, HTML, nested lists) is
/// an error, so that nothing of a page is lost without a word.
/// </summary>
internal sealed class PageReader
{
    private readonly string _file;
    private readonly List<HelpProblem> _problems;

    private PageReader(string file, List<HelpProblem> problems)
    {
        _file = file;
        _problems = problems;
    }

    /// <summary>The page's one section of the first level; null, with a problem told, when it has none or several.</summary>
    public static PageSection? Read(string file, string text, List<HelpProblem> problems) => new PageReader(file, problems).Read(text);

    private PageSection? Read(string text)
    {
        var top = new PageSection(string.Empty, 1);
        var open = new List<PageSection> { top };
        foreach (Block block in Markdown.Parse(text))
        {
            if (block is HeadingBlock heading)
            {
                if (heading.Level > open.Count)
                {
                    Problem(block, $"a heading of level {heading.Level} stands under one of level {open.Count - 1}. Expected level {open.Count} at most.");
                }

                var section = new PageSection(TextOf(heading.Inline, null), block.Line + 1);
                open.RemoveRange(Math.Min(heading.Level, open.Count), Math.Max(open.Count - heading.Level, 0));
                open[^1].Sections.Add(section);
                open.Add(section);
            }
            else
            {
                AddBlock(open[^1], block);
            }
        }

        if (top.Sections.Count != 1 || top.Blocks.Count > 0)
        {
            _problems.Add(new HelpProblem(_file, 1, "a page begins with its one heading of the first level."));
            return null;
        }

        return top.Sections[0];
    }

    private void AddBlock(PageSection section, Block block)
    {
        switch (block)
        {
            case ParagraphBlock { Inline.FirstChild: LiteralInline first } when first.Content.ToString().StartsWith('|'):
                Problem(block, "help text cannot show a table. Use a list.");
                break;

            case ParagraphBlock paragraph:
                section.Blocks.Add(new HelpBlock.Paragraph(TextOf(paragraph.Inline, section)));
                break;

            case ListBlock list:
                section.Blocks.Add(new HelpBlock.List([.. list.Cast<ListItemBlock>().Select((item, i) => ItemText(list, item, i, section))]));
                break;

            case FencedCodeBlock code:
                section.Blocks.Add(new HelpBlock.Code(code.Info ?? string.Empty, code.Lines.ToString().ReplaceLineEndings("\n")));
                break;

            case LinkReferenceDefinitionGroup:
                break;

            default:
                Problem(block, $"help text cannot show this ({block.GetType().Name}). Use paragraphs, flat lists and fenced code.");
                break;
        }
    }

    private string ItemText(ListBlock list, ListItemBlock item, int index, PageSection section)
    {
        string mark = list.IsOrdered ? $"{index + 1}. " : "- ";
        if (item is not [ParagraphBlock paragraph])
        {
            Problem(item, "a list's item must be one paragraph.");
            return mark;
        }

        return mark + TextOf(paragraph.Inline, section);
    }

    private string TextOf(Inline? inline, PageSection? section) => inline switch
    {
        null => string.Empty,
        LiteralInline literal => literal.Content.ToString(),
        CodeInline code => code.Content,
        LineBreakInline => " ",
        HtmlEntityInline entity => entity.Transcoded.ToString(),
        AutolinkInline auto => auto.Url,
        LinkInline { IsImage: false } link => LinkText(link, section),
        ContainerInline container and not LinkInline => string.Concat(container.Select(i => TextOf(i, section))),
        _ => Unsupported(inline),
    };

    private string LinkText(LinkInline link, PageSection? section)
    {
        string text = string.Concat(link.Select(i => TextOf(i, section)));
        section?.Links.Add(new PageLink(text, link.Url ?? string.Empty));
        return text;
    }

    private string Unsupported(Inline inline)
    {
        _problems.Add(new HelpProblem(_file, inline.Line + 1, $"help text cannot show this ({inline.GetType().Name})."));
        return string.Empty;
    }

    private void Problem(MarkdownObject at, string message) => _problems.Add(new HelpProblem(_file, at.Line + 1, message));
}
