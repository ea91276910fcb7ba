using FunctionBuild.Help;
using FunctionBuild.Help.Cmdlets;
using FunctionBuild.Help.Pages;

namespace FunctionBuild.Tests.Help;

/// <summary>The page of the sample cmdlet, with nothing wrong with it, and what the tool makes of changed ones.</summary>
internal static class SamplePage
{
    public const string Text =
        """
        # Get-HelpSample

        ## Synopsis

        Gets a sample.

        ## Syntax

        ```text
        Get-HelpSample [-Name] <String[]>
            [-Day {Sunday | Monday | Tuesday | Wednesday | Thursday | Friday | Saturday}]
            [-Level {Low | High}] [-WhatIf] [-Confirm] [<CommonParameters>]

        Get-HelpSample -Id <Int32>
            [-Day {Sunday | Monday | Tuesday | Wednesday | Thursday | Friday | Saturday}]
            [-Level {Low | High}] [-WhatIf] [-Confirm] [<CommonParameters>]
        ```

        ## Description

        Gets **a** `sample` & what [belongs](other.md) to
        it.

        - one
        - two

        ## Examples

        ### Get one

        ```powershell
        Get-HelpSample one
        ```

        Gets one.

        ### Get two

        ```powershell
        Get-HelpSample two |
            ForEach-Object Major
        ```

        Gets two.

        ### Get three

        ```powershell
        Get-HelpSample three
        ```

        Gets three.

        ## Parameters

        ### -Name

        The name.

        ### -Id

        The number.

        ### -Day

        The day.

        ### -Level

        The level.

        Default: Low.

        ## Inputs

        ### System.String

        A name.

        ## Outputs

        ### System.Version

        A version.

        ## Notes

        None.

        ## Related links

        - [about_Samples](about_Samples.md)

        """;

    /// <summary>Assemblies of .NET and of everything that the tests refer to.</summary>
    public static IReadOnlyList<string> References { get; } =
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);

    public static CmdletDescription Cmdlet { get; } =
        CmdletReader.Read(typeof(SamplePage).Assembly.Location, References).Single(c => c.Name == "Get-HelpSample");

    /// <summary>What is wrong with the page after a change to its text.</summary>
    public static IReadOnlyList<HelpProblem> Problems(string old, string changed)
    {
        Assert.Contains(old, Text, StringComparison.Ordinal);
        var problems = new List<HelpProblem>();
        CmdletPage.Read("Get-HelpSample.md", Text.Replace(old, changed, StringComparison.Ordinal), Cmdlet, problems);
        return problems;
    }

    public static CmdletPage Read()
    {
        var problems = new List<HelpProblem>();
        CmdletPage? page = CmdletPage.Read("Get-HelpSample.md", Text, Cmdlet, problems);
        Assert.Empty(problems);
        return page!;
    }
}
