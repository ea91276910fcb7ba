using FunctionBuild.Help;
using FunctionBuild.Help.Output;
using FunctionBuild.Help.Pages;

namespace FunctionBuild.Tests.Help;

public class CmdletPageTests
{
    [Fact]
    public void A_page_is_read_as_plain_text()
    {
        CmdletPage page = SamplePage.Read();
        Assert.Equal("Gets a sample & what belongs to it.", Assert.IsType<HelpBlock.Paragraph>(page.Description[0]).Text);
        Assert.Equal(["- one", "- two"], Assert.IsType<HelpBlock.List>(page.Description[1]).Items);
        Assert.Equal("Get-HelpSample two |\n    ForEach-Object Major", page.Examples[1].Code);
        Assert.Equal("Low", page.Parameters["Level"].Default);
        Assert.Equal([new PageLink("about_Samples", "about_Samples.md")], page.Links);
    }

    [Theory]
    [InlineData("### -Id\n\nThe number.\n\n", "", "'-Id' of Get-HelpSample is not documented")]
    [InlineData("The number.\n\n", "", "'-Id' is not described")]
    [InlineData("### -Id", "### -Identity", "no parameter '-Identity'")]
    [InlineData("### -Id", "### -WhatIf", "no parameter '-WhatIf'")]
    [InlineData("### Get three\n\n```powershell\nGet-HelpSample three\n```\n\nGets three.\n\n", "", "2 examples. Expected 3")]
    [InlineData("```powershell\nGet-HelpSample three\n```\n\n", "", "needs a fenced block")]
    [InlineData(" <Int32>", "", "the syntax is not that of the cmdlet")]
    [InlineData("# Get-HelpSample\n", "# Get-Sample\n", "Expected 'Get-HelpSample'")]
    [InlineData("## Notes\n\nNone.\n\n", "", "'## Notes' is missing")]
    [InlineData("## Notes", "## Remarks", "'Remarks' is unknown")]
    [InlineData("Gets a sample.\n", "", "the synopsis must be one paragraph")]
    [InlineData("### System.Version", "### System.String", "'System.Version' is missing under '## Outputs'")]
    [InlineData("### System.String\n\nA name.", "", "'System.String' is missing under '## Inputs'")]
    [InlineData("None.\n", "![a](b.png)\n", "cannot show this")]
    [InlineData("None.\n", "<b>None</b>\n", "cannot show this")]
    [InlineData("None.\n", "| a | b |\n|---|---|\n| c | d |\n", "cannot show a table")]
    [InlineData("- two\n", "- two\n  - three\n", "must be one paragraph")]
    public void A_page_that_says_other_than_its_cmdlet_is_a_problem(string old, string changed, string expected)
    {
        IReadOnlyList<HelpProblem> problems = SamplePage.Problems(old, changed);
        Assert.Contains(problems, p => p.Message.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void A_problem_names_the_page_and_the_line()
    {
        HelpProblem problem = Assert.Single(SamplePage.Problems(" <Int32>", ""));
        Assert.StartsWith("Get-HelpSample.md(7): error HELP: ", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Syntax_is_brought_up_to_date_in_the_page()
    {
        string stale = SamplePage.Text.Replace(" <Int32>", "", StringComparison.Ordinal);
        Assert.Equal(SamplePage.Text, SyntaxText.Update(stale, SamplePage.Cmdlet));
    }
}
