using System.Globalization;
using System.Xml.Linq;
using FunctionBuild.Help.Cmdlets;
using FunctionBuild.Help.Pages;

namespace FunctionBuild.Help.Output;

/// <summary>Writes cmdlets' help in MAML, the XML that <c>Get-Help</c> reads.</summary>
public static class Maml
{
    // Get-Help indents by up to eight columns; 80 are what a terminal has at least.
    private const int Width = 72;

    private static readonly XNamespace Msh = "http://msh";
    private static readonly XNamespace Text = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private static readonly Dictionary<string, string> CommonDescriptions = new()
    {
        ["WhatIf"] = "Shows what would happen. Nothing is changed.",
        ["Confirm"] = "Asks for your confirmation before anything is changed.",
    };

    /// <summary>The help of the cmdlets, as one document.</summary>
    public static XDocument Write(IEnumerable<CmdletPage> pages) => new(
        new XElement(
            Msh + "helpItems",
            new XAttribute("schema", "maml"),
            new XAttribute(XNamespace.Xmlns + "maml", Text),
            new XAttribute(XNamespace.Xmlns + "command", Command),
            new XAttribute(XNamespace.Xmlns + "dev", Dev),
            pages.Select(WriteCommand)));

    private static XElement WriteCommand(CmdletPage page)
    {
        CmdletDescription cmdlet = page.Cmdlet;
        return new XElement(
            Command + "command",
            new XElement(
                Command + "details",
                new XElement(Command + "name", cmdlet.Name),
                new XElement(Command + "verb", cmdlet.Verb),
                new XElement(Command + "noun", cmdlet.Noun),
                new XElement(Text + "description", Paragraph(page.Synopsis))),
            new XElement(Text + "description", Paragraphs(page.Description)),
            new XElement(Command + "syntax", cmdlet.Sets.Select(set => WriteSyntax(page, set))),
            new XElement(Command + "parameters", cmdlet.Parameters.OrderBy(p => p.IsCommon).ThenBy(p => p.Name, StringComparer.Ordinal).Select(p => WriteParameter(page, p))),
            new XElement(Command + "inputTypes", page.Inputs.Select(t => WriteType("inputType", t))),
            new XElement(Command + "returnValues", page.Outputs.Select(t => WriteType("returnValue", t))),
            new XElement(Text + "alertSet", new XElement(Text + "alert", Paragraphs(page.Notes), SeeAlso(page))),
            new XElement(Command + "examples", page.Examples.Select(WriteExample)));
    }

    private static XElement WriteSyntax(CmdletPage page, string set) => new(
        Command + "syntaxItem",
        new XElement(Text + "name", page.Cmdlet.Name),
        page.Cmdlet.ParametersOf(set).Select(p => new XElement(
            Command + "parameter",
            Attributes(p, p.In(set)!.Mandatory, [p.In(set)!]),
            new XElement(Text + "name", p.Name),
            p.IsSwitch ? null : WriteValue(p))));

    // The values that are allowed, or the type, in the place where syntax shows the value.
    private static XElement WriteValue(CmdletParameter parameter) => parameter.Values.Count > 0
        ? new XElement(Command + "parameterValueGroup", parameter.Values.Select(v => new XElement(Command + "parameterValue", new XAttribute("required", false), new XAttribute("variableLength", false), v)))
        : WriteType(parameter);

    private static XElement WriteType(CmdletParameter parameter) => new(
        Command + "parameterValue",
        new XAttribute("required", !parameter.IsSwitch),
        new XAttribute("variableLength", parameter.IsArray),
        parameter.TypeName);

    private static XElement WriteParameter(CmdletPage page, CmdletParameter parameter)
    {
        PageParameter text = parameter.IsCommon
            ? new PageParameter([new HelpBlock.Paragraph(CommonDescriptions[parameter.Name])], null)
            : page.Parameters[parameter.Name];
        IReadOnlyList<HelpBlock> description = parameter.Values.Count == 0
            ? text.Description
            : [.. text.Description, new HelpBlock.Paragraph($"Values: {string.Join(", ", parameter.Values)}.")];
        return new XElement(
            Command + "parameter",
            Attributes(parameter, parameter.Sets.Values.All(s => s.Mandatory), [.. parameter.Sets.Values]),
            new XElement(Text + "name", parameter.Name),
            new XElement(Text + "description", Paragraphs(description)),
            WriteType(parameter),
            new XElement(Dev + "type", new XElement(Text + "name", parameter.TypeName), new XElement(Text + "uri")),
            new XElement(Dev + "defaultValue", text.Default ?? (parameter.IsSwitch ? "False" : "None")));
    }

    private static IEnumerable<XAttribute> Attributes(CmdletParameter parameter, bool mandatory, IReadOnlyList<ParameterInSet> sets)
    {
        string[] ways =
        [
            .. sets.Any(s => s.ByPropertyName) ? ["ByPropertyName"] : Array.Empty<string>(),
            .. sets.Any(s => s.ByValue) ? ["ByValue"] : Array.Empty<string>(),
        ];
        int? position = sets.Select(s => s.Position).FirstOrDefault(p => p is not null);
        yield return new XAttribute("required", mandatory);
        yield return new XAttribute("variableLength", parameter.IsArray);
        yield return new XAttribute("globbing", parameter.Globbing);
        yield return new XAttribute("pipelineInput", ways.Length == 0 ? "False" : $"True ({string.Join(", ", ways)})");
        yield return new XAttribute("position", position?.ToString(CultureInfo.InvariantCulture) ?? "named");
        yield return new XAttribute("aliases", parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases));
    }

    private static XElement WriteType(string element, PageType type) => new(
        Command + element,
        new XElement(Dev + "type", new XElement(Text + "name", type.Name)),
        new XElement(Text + "description", Paragraphs(type.Description)));

    private static XElement WriteExample(PageExample example, int index) => new(
        Command + "example",
        new XElement(Text + "title", $"-------- Example {index + 1}: {example.Title} --------"),
        new XElement(Dev + "code", example.Code),
        new XElement(Dev + "remarks", Paragraphs(example.Remarks), EmptyLine()));

    // Links of MAML make Get-Help offer "-Online", which needs an address that only some links have.
    private static XElement? SeeAlso(CmdletPage page) =>
        page.Links.Count == 0 ? null : Paragraphs([new HelpBlock.Paragraph($"See also: {string.Join(", ", page.Links.Select(l => l.Text))}")]).Single();

    // Get-Help breaks lines within words where the culture is invariant, as it is in the embedded host and in many containers.
    private static IEnumerable<XElement> Paragraphs(IEnumerable<HelpBlock> blocks) => blocks.Select(b => Paragraph(b switch
    {
        HelpBlock.Paragraph paragraph => TextLayout.Wrap(paragraph.Text.Split(' '), Width, string.Empty, string.Empty),
        HelpBlock.List list => string.Join('\n', list.Items.Select(i => TextLayout.Wrap(i.Split(' '), Width, string.Empty, "  "))),
        HelpBlock.Code code => code.Text,
        _ => throw new ArgumentOutOfRangeException(nameof(blocks), b, "Not a kind of block."),
    }));

    // Get-Help puts nothing between an example and the next.
    private static XElement EmptyLine() => Paragraph(string.Empty);

    private static XElement Paragraph(string text) => new(Text + "para", text);
}
