using FunctionBuild.Help.Cmdlets;
using FunctionBuild.Help.Output;

namespace FunctionBuild.Help.Pages;

/// <summary>A cmdlet's page, checked against the cmdlet: what the page says and what the assembly declares agree.</summary>
public sealed class CmdletPage
{
    private const int LeastExamples = 3;
    private const string DefaultPrefix = "Default: ";
    private const string NoType = "None";

    private static readonly string[] SectionTitles =
        ["Synopsis", "Syntax", "Description", "Examples", "Parameters", "Inputs", "Outputs", "Notes", "Related links"];

    private readonly string _file;
    private readonly PageSection _page;
    private readonly List<HelpProblem> _problems;

    private CmdletPage(string file, PageSection page, CmdletDescription cmdlet, List<HelpProblem> problems)
    {
        _file = file;
        _page = page;
        _problems = problems;
        Cmdlet = cmdlet;
        CheckSections();
        Synopsis = ReadSynopsis();
        CheckSyntax();
        Description = BlocksOf("Description");
        Examples = ReadExamples();
        Parameters = ReadParameters();
        Inputs = ReadTypes("Inputs", [.. cmdlet.Parameters.Where(p => p.Sets.Values.Any(s => s.ByValue)).Select(p => p.ElementType)]);
        Outputs = ReadTypes("Outputs", cmdlet.OutputTypes);
        Notes = BlocksOf("Notes");
        Links = page.Find("Related links")?.Links ?? [];
    }

    /// <summary>The cmdlet.</summary>
    public CmdletDescription Cmdlet { get; }

    /// <summary>What it does, in a sentence.</summary>
    public string Synopsis { get; }

    /// <summary>What it does, at length.</summary>
    public IReadOnlyList<HelpBlock> Description { get; }

    /// <summary>At least three.</summary>
    public IReadOnlyList<PageExample> Examples { get; }

    /// <summary>By name, without dash.</summary>
    public IReadOnlyDictionary<string, PageParameter> Parameters { get; }

    /// <summary>What it takes from the pipeline.</summary>
    public IReadOnlyList<PageType> Inputs { get; }

    /// <summary>What it writes.</summary>
    public IReadOnlyList<PageType> Outputs { get; }

    /// <summary>What else a user should know.</summary>
    public IReadOnlyList<HelpBlock> Notes { get; }

    /// <summary>Where to read on.</summary>
    public IReadOnlyList<PageLink> Links { get; }

    /// <summary>Reads a page and checks it; null when it cannot be read at all. What is wrong is added to the problems.</summary>
    public static CmdletPage? Read(string file, string text, CmdletDescription cmdlet, List<HelpProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(cmdlet);
        ArgumentNullException.ThrowIfNull(problems);
        return PageReader.Read(file, text, problems) is { } page ? new CmdletPage(file, page, cmdlet, problems) : null;
    }

    private void CheckSections()
    {
        if (_page.Title != Cmdlet.Name)
        {
            Problem(_page, $"the heading is '{_page.Title}'. Expected '{Cmdlet.Name}'.");
        }

        foreach (string missing in SectionTitles.Where(t => _page.Find(t) is null))
        {
            Problem(_page, $"the section '## {missing}' is missing.");
        }

        foreach (PageSection section in _page.Sections.Where(s => !SectionTitles.Contains(s.Title)))
        {
            Problem(section, $"the section '{section.Title}' is unknown. Expected {string.Join(", ", SectionTitles)}.");
        }

        foreach (IGrouping<string, PageSection> same in _page.Sections.GroupBy(s => s.Title).Where(g => g.Count() > 1))
        {
            Problem(same.Last(), $"the section '{same.Key}' stands on the page twice.");
        }
    }

    private string ReadSynopsis()
    {
        if (BlocksOf("Synopsis") is [HelpBlock.Paragraph paragraph])
        {
            return paragraph.Text;
        }

        Problem(_page.Find("Synopsis") ?? _page, "the synopsis must be one paragraph.");
        return string.Empty;
    }

    private void CheckSyntax()
    {
        if (_page.Find("Syntax") is { } section && (section.Blocks is not [HelpBlock.Code code] || code.Text != SyntaxText.Format(Cmdlet)))
        {
            Problem(section, "the syntax is not that of the cmdlet. Build once with -p:UpdateHelpSyntax=true, which writes it.");
        }
    }

    private List<PageExample> ReadExamples()
    {
        var examples = new List<PageExample>();
        foreach (PageSection section in _page.Find("Examples")?.Sections ?? [])
        {
            List<string> code = [.. section.Blocks.OfType<HelpBlock.Code>().Where(IsCommand).Select(c => c.Text)];
            List<HelpBlock> remarks = [.. section.Blocks.Where(b => b is not HelpBlock.Code c || !IsCommand(c))];
            if (code.Count == 0 || remarks.Count == 0)
            {
                Problem(section, $"the example '{section.Title}' needs a fenced block of powershell, and a text that says what it does.");
            }

            examples.Add(new PageExample(section.Title, string.Join("\n\n", code), remarks));
        }

        if (examples.Count < LeastExamples)
        {
            Problem(_page.Find("Examples") ?? _page, $"{Cmdlet.Name} has {examples.Count} examples. Expected {LeastExamples} at least.");
        }

        return examples;
    }

    private Dictionary<string, PageParameter> ReadParameters()
    {
        var parameters = new Dictionary<string, PageParameter>(StringComparer.Ordinal);
        List<string> expected = [.. Cmdlet.Parameters.Where(p => !p.IsCommon).Select(p => p.Name)];
        foreach (PageSection section in _page.Find("Parameters")?.Sections ?? [])
        {
            string name = section.Title.TrimStart('-');
            if (!expected.Contains(name))
            {
                Problem(section, $"{Cmdlet.Name} has no parameter '-{name}'. Expected {string.Join(", ", expected.Select(e => "-" + e))}.");
                continue;
            }

            List<HelpBlock> text = [.. section.Blocks.Where(b => DefaultOf(b) is null)];
            if (text.Count == 0)
            {
                Problem(section, $"the parameter '-{name}' is not described.");
            }

            if (!parameters.TryAdd(name, new PageParameter(text, section.Blocks.Select(DefaultOf).FirstOrDefault(d => d is not null))))
            {
                Problem(section, $"the parameter '-{name}' stands on the page twice.");
            }
        }

        foreach (string name in expected.Where(e => !parameters.ContainsKey(e)))
        {
            Problem(_page.Find("Parameters") ?? _page, $"the parameter '-{name}' of {Cmdlet.Name} is not documented.");
        }

        return parameters;
    }

    private List<PageType> ReadTypes(string title, IReadOnlyList<string> declared)
    {
        List<PageType> types = [.. (_page.Find(title)?.Sections ?? []).Select(s => new PageType(s.Title, s.Blocks))];
        IReadOnlyList<string> expected = declared.Count == 0 && types.Count == 0 ? [NoType] : declared;
        foreach (string missing in expected.Except(types.Select(t => t.Name)))
        {
            Problem(_page.Find(title) ?? _page, $"the type '{missing}' is missing under '## {title}'.");
        }

        return types;
    }

    private List<HelpBlock> BlocksOf(string title)
    {
        PageSection? section = _page.Find(title);
        if (section is { Blocks.Count: 0 })
        {
            Problem(section, $"the section '{title}' is empty.");
        }

        return section?.Blocks ?? [];
    }

    private static bool IsCommand(HelpBlock.Code code) => code.Language == "powershell";

    private static string? DefaultOf(HelpBlock block) =>
        block is HelpBlock.Paragraph { Text: var text } && text.StartsWith(DefaultPrefix, StringComparison.Ordinal)
            ? text[DefaultPrefix.Length..].TrimEnd('.')
            : null;

    private void Problem(PageSection at, string message) => _problems.Add(new HelpProblem(_file, at.Line, message));
}
