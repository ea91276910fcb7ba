using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Help;

namespace FunctionBuild.Tests.Help;

public sealed class HelpBuildTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly HelpBuild _build;

    public HelpBuildTests() => _build = new HelpBuild(typeof(HelpBuildTests).Assembly.Location, SamplePage.References, _folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Help_is_written_beside_the_name_of_the_assembly()
    {
        Write("Get-HelpSample.md", SamplePage.Text);
        Write("internals-of-it.md", "Not a page of help.");
        Assert.Empty(_build.Write(_folder.Combine("en-US")));
        Assert.Equal(["FunctionBuild.Tests.dll-Help.xml"], Directory.EnumerateFiles(_folder.Combine("en-US")).Select(Path.GetFileName));
    }

    [Fact]
    public void A_cmdlet_without_a_page_is_a_problem_and_nothing_is_written()
    {
        HelpProblem problem = Assert.Single(_build.Write(_folder.Combine("en-US")));
        Assert.Contains("Get-HelpSample has no page", problem.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.Combine("en-US")));
    }

    [Fact]
    public void A_page_without_a_cmdlet_is_a_problem()
    {
        Write("Get-HelpSample.md", SamplePage.Text);
        Write("Get-Nothing.md", SamplePage.Text);
        HelpProblem problem = Assert.Single(_build.Write(_folder.Combine("en-US")));
        Assert.Contains("there is no cmdlet Get-Nothing", problem.Message, StringComparison.Ordinal);
    }

    private void Write(string name, string text) => File.WriteAllText(_folder.Combine(name), text);
}
