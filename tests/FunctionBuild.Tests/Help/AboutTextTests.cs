using FunctionBuild.Help;
using FunctionBuild.Help.Output;

namespace FunctionBuild.Tests.Help;

public class AboutTextTests
{
    private const string Page =
        """
        # about_Samples

        ## Short description

        What samples are.

        ## Long description

        A sample is something that is described at such a length that it does not fit on one line of eighty columns.

        - An item that is described at such a length, too, that it does not fit on one line of eighty columns.

        ```powershell
        Get-HelpSample
        ```

        """;

    [Fact]
    public void Text_wraps_at_eighty_columns_and_items_hang()
    {
        string[] lines = Format(Page, []).Split('\n');
        Assert.All(lines, l => Assert.True(l.Length <= 80, l));
        Assert.Equal(
            [
                "LONG DESCRIPTION",
                "    A sample is something that is described at such a length that it does not",
                "    fit on one line of eighty columns.",
                "",
                "    - An item that is described at such a length, too, that it does not fit on",
                "      one line of eighty columns.",
                "",
                "        Get-HelpSample",
                "",
            ],
            lines[6..]);
    }

    [Fact]
    public void The_fifth_line_is_the_synopsis() => Assert.Equal("    What samples are.", Format(Page, []).Split('\n')[4]);

    [Theory]
    [InlineData("Get-HelpSample", "Get-HelpSample -Name 'a name that is so long that the line of code is wider than eighty columns'", "80 at most")]
    [InlineData("## Short description", "## Summary", "the first section must be")]
    [InlineData("# about_Samples", "# Samples", "Expected 'about_Samples'")]
    public void A_page_that_cannot_be_shown_is_a_problem(string old, string changed, string expected)
    {
        var problems = new List<HelpProblem>();
        Format(Page.Replace(old, changed, StringComparison.Ordinal), problems);
        Assert.Contains(expected, Assert.Single(problems).Message, StringComparison.Ordinal);
    }

    private static string Format(string page, List<HelpProblem> problems)
    {
        string? text = AboutText.Format("about_Samples.md", page, problems);
        Assert.NotNull(text);
        return text;
    }
}
