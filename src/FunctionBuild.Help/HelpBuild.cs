using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using FunctionBuild.Help.Cmdlets;
using FunctionBuild.Help.Output;
using FunctionBuild.Help.Pages;

namespace FunctionBuild.Help;

/// <summary>Makes a module's help of its pages and its assembly.</summary>
/// <param name="assembly">The module's assembly.</param>
/// <param name="references">Files of all assemblies that it refers to.</param>
/// <param name="pages">The folder of the pages: <c>Verb-Noun.md</c> and <c>about_*.md</c>; others are not looked at.</param>
public sealed partial class HelpBuild(string assembly, IReadOnlyList<string> references, string pages)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly List<HelpProblem> _problems = [];

    /// <summary>Writes the help files, unless something is wrong with the pages.</summary>
    /// <param name="output">The folder that gets them; created when it does not exist.</param>
    /// <returns>What is wrong; nothing is written unless this is empty.</returns>
    public IReadOnlyList<HelpProblem> Write(string output)
    {
        _problems.Clear();
        List<CmdletPage> cmdletPages = ReadCmdletPages();
        Dictionary<string, string> abouts = ReadAbouts();
        if (_problems.Count == 0)
        {
            Directory.CreateDirectory(output);
            WriteMaml(cmdletPages, Path.Combine(output, Path.GetFileName(assembly) + "-Help.xml"));
            foreach ((string name, string text) in abouts)
            {
                File.WriteAllText(Path.Combine(output, name + ".help.txt"), text, Utf8);
            }
        }

        return _problems;
    }

    /// <summary>Writes the cmdlets' syntax into their pages.</summary>
    public void UpdateSyntax()
    {
        foreach (CmdletDescription cmdlet in CmdletReader.Read(assembly, references))
        {
            string page = PageOf(cmdlet);
            if (File.Exists(page))
            {
                string text = ReadPage(page);
                string updated = SyntaxText.Update(text, cmdlet);
                if (updated != text)
                {
                    File.WriteAllText(page, updated, Utf8);
                }
            }
        }
    }

    private List<CmdletPage> ReadCmdletPages()
    {
        var found = new List<CmdletPage>();
        IReadOnlyList<CmdletDescription> cmdlets = CmdletReader.Read(assembly, references);
        foreach (CmdletDescription cmdlet in cmdlets)
        {
            string file = PageOf(cmdlet);
            if (!File.Exists(file))
            {
                _problems.Add(new HelpProblem(file, 1, $"the cmdlet {cmdlet.Name} has no page."));
            }
            else if (CmdletPage.Read(file, ReadPage(file), cmdlet, _problems) is { } page)
            {
                found.Add(page);
            }
        }

        foreach (string orphan in Directory.EnumerateFiles(pages, "*-*.md")
            .Where(f => CmdletName().IsMatch(Path.GetFileNameWithoutExtension(f)) && !cmdlets.Any(c => c.Name == Path.GetFileNameWithoutExtension(f)))
            .Order(StringComparer.Ordinal))
        {
            _problems.Add(new HelpProblem(orphan, 1, $"there is no cmdlet {Path.GetFileNameWithoutExtension(orphan)}."));
        }

        return found;
    }

    private Dictionary<string, string> ReadAbouts()
    {
        var found = new Dictionary<string, string>();
        foreach (string file in Directory.EnumerateFiles(pages, "about_*.md").Order(StringComparer.Ordinal))
        {
            if (AboutText.Format(file, ReadPage(file), _problems) is { } text)
            {
                found[Path.GetFileNameWithoutExtension(file)] = text;
            }
        }

        return found;
    }

    private string PageOf(CmdletDescription cmdlet) => Path.Combine(pages, cmdlet.Name + ".md");

    private static string ReadPage(string file) => File.ReadAllText(file).ReplaceLineEndings("\n");

    private static void WriteMaml(List<CmdletPage> cmdletPages, string file)
    {
        using var writer = XmlWriter.Create(file, new XmlWriterSettings { Indent = true, Encoding = Utf8, NewLineChars = "\n" });
        Maml.Write(cmdletPages).Save(writer);
    }

    [GeneratedRegex("^[A-Z][a-z]+-[A-Z][A-Za-z]+$")]
    private static partial Regex CmdletName();
}
