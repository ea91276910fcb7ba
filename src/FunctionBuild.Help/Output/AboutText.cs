using FunctionBuild.Help.Pages;

namespace FunctionBuild.Help.Output;

/// <summary>Turns an <c>about_</c> page into the plain text that <c>Get-Help</c> shows.</summary>
public sealed class AboutText
{
    /// <summary>The most columns of a line.</summary>
    public const int Width = 80;

    private const string Indent = "    ";
    private const string CodeIndent = "        ";

    private readonly string _file;
    private readonly List<HelpProblem> _problems;
    private readonly List<string> _parts = [];

    private AboutText(string file, List<HelpProblem> problems)
    {
        _file = file;
        _problems = problems;
    }

    /// <summary>The text, lines ending in LF; null when the page cannot be read. What is wrong is added to the problems.</summary>
    public static string? Format(string file, string page, List<HelpProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        return PageReader.Read(file, page, problems) is { } root ? new AboutText(file, problems).Format(root) : null;
    }

    private string Format(PageSection root)
    {
        string name = Path.GetFileNameWithoutExtension(_file);
        if (root.Title != name)
        {
            Problem(root, $"the heading is '{root.Title}'. Expected '{name}'.");
        }

        // Get-Help takes the fifth line for the synopsis.
        if (root.Sections is not [{ Title: "Short description", Blocks: [HelpBlock.Paragraph synopsis] }, ..] || synopsis.Text.Length > Width - Indent.Length)
        {
            Problem(root, $"the first section must be '## Short description', of one paragraph of at most {Width - Indent.Length} characters.");
        }

        _parts.Add($"TOPIC\n{Indent}{root.Title}");
        Add(root.Sections, title => title.ToUpperInvariant());
        return string.Join("\n\n", _parts) + "\n";
    }

    private void Add(List<PageSection> sections, Func<string, string> style)
    {
        foreach (PageSection section in sections)
        {
            string title = style(section.Title);
            List<string> texts = [.. section.Blocks.Select(b => FormatBlock(section, b))];
            _parts.Add(texts.Count == 0 ? title : $"{title}\n{texts[0]}");
            _parts.AddRange(texts.Skip(1));
            Add(section.Sections, t => "  " + t);
        }
    }

    private string FormatBlock(PageSection section, HelpBlock block)
    {
        string text = block switch
        {
            HelpBlock.Paragraph paragraph => TextLayout.Wrap(paragraph.Text.Split(' '), Width, Indent, Indent),
            HelpBlock.List list => string.Join('\n', list.Items.Select(i => TextLayout.Wrap(i.Split(' '), Width, Indent, Indent + "  "))),
            HelpBlock.Code code => string.Join('\n', code.Text.Split('\n').Select(l => l.Length == 0 ? l : CodeIndent + l)),
            _ => throw new ArgumentOutOfRangeException(nameof(block), block, "Not a kind of block."),
        };
        if (text.Split('\n').FirstOrDefault(l => l.Length > Width) is { } wide)
        {
            Problem(section, $"a line is {wide.Length} columns wide, {Width} at most are shown: '{wide.Trim()}'.");
        }

        return text;
    }

    private void Problem(PageSection at, string message) => _problems.Add(new HelpProblem(_file, at.Line, message));
}
