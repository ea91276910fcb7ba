using System.Text;
using FunctionBuild.Help.Cmdlets;

namespace FunctionBuild.Help.Output;

/// <summary>A cmdlet's syntax as pages show it.</summary>
public static class SyntaxText
{
    /// <summary>What stands in place of the parameters that every cmdlet has.</summary>
    private const string CommonParameters = "[<CommonParameters>]";

    private const int Width = 100;

    /// <summary>One paragraph per parameter set, the default one first; lines are separated by LF.</summary>
    public static string Format(CmdletDescription cmdlet)
    {
        ArgumentNullException.ThrowIfNull(cmdlet);
        return string.Join("\n\n", cmdlet.Sets.Select(set => TextLayout.Wrap(
            cmdlet.ParametersOf(set).Select(p => FormatParameter(p, p.In(set)!)).Prepend(cmdlet.Name).Append(CommonParameters),
            Width,
            indent: string.Empty,
            hanging: "    ")));
    }

    /// <summary>The text of a page with its syntax brought up to date; the text itself when it has no section for it.</summary>
    public static string Update(string page, CmdletDescription cmdlet)
    {
        ArgumentNullException.ThrowIfNull(page);
        const string Heading = "\n## Syntax\n";
        int start = page.IndexOf(Heading, StringComparison.Ordinal);
        if (start < 0)
        {
            return page;
        }

        start += Heading.Length;
        int end = page.IndexOf("\n## ", start, StringComparison.Ordinal);
        var text = new StringBuilder(page[..start]);
        text.Append("\n```text\n").Append(Format(cmdlet)).Append("\n```\n");
        return text.Append(end < 0 ? string.Empty : page[end..]).ToString();
    }

    private static string FormatParameter(CmdletParameter parameter, ParameterInSet set)
    {
        string name = set.Position is null ? $"-{parameter.Name}" : $"[-{parameter.Name}]";
        string value = parameter.Values.Count > 0 ? $" {{{string.Join(" | ", parameter.Values)}}}" : $" <{parameter.TypeName}>";
        string text = parameter.IsSwitch ? name : name + value;
        return set.Mandatory ? text : $"[{text}]";
    }
}
