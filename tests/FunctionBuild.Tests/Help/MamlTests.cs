using System.Xml.Linq;

namespace FunctionBuild.Tests.Help;

public class MamlTests
{
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private readonly XElement _command = WriteSample();

    [Fact]
    public void Every_set_has_its_syntax_with_the_parameters_in_order()
    {
        IEnumerable<string> items = _command.Element(Command + "syntax")!.Elements()
            .Select(i => string.Join(' ', i.Elements(Command + "parameter").Select(p => p.Element(Maml + "name")!.Value)));
        Assert.Equal(["Name Day Level WhatIf Confirm", "Id Day Level WhatIf Confirm"], items);
    }

    [Fact]
    public void A_parameter_has_its_facts()
    {
        XElement name = Parameter("Name");
        Assert.Equal(
            ["required=true", "variableLength=true", "globbing=true", "pipelineInput=True (ByValue)", "position=0", "aliases=none"],
            name.Attributes().Select(a => $"{a.Name}={a.Value}"));
        Assert.Equal("Low", Parameter("Level").Element(Dev + "defaultValue")!.Value);
        Assert.Equal("Number, No", Parameter("Id").Attribute("aliases")!.Value);
        Assert.Contains("Values: Low, High.", Parameter("Level").Element(Maml + "description")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_that_PowerShell_adds_are_described() =>
        Assert.NotEmpty(Parameter("WhatIf").Element(Maml + "description")!.Value);

    [Fact]
    public void Examples_are_numbered_and_keep_their_lines()
    {
        XElement example = _command.Element(Command + "examples")!.Elements().ElementAt(1);
        Assert.Contains("Example 2: Get two", example.Element(Maml + "title")!.Value, StringComparison.Ordinal);
        Assert.Equal("Get-HelpSample two |\n    ForEach-Object Major", example.Element(Dev + "code")!.Value);
    }

    [Fact]
    public void There_is_no_link_that_would_make_Get_Help_offer_an_online_page() =>
        Assert.Empty(_command.Descendants(Maml + "navigationLink"));

    private static XElement WriteSample() =>
        XDocument.Parse(FunctionBuild.Help.Output.Maml.Write([SamplePage.Read()]).ToString()).Root!.Elements().Single();

    private XElement Parameter(string name) =>
        _command.Element(Command + "parameters")!.Elements().Single(p => p.Element(Maml + "name")!.Value == name);
}
