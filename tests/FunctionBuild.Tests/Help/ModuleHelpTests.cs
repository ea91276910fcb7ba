using System.Management.Automation;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Help;

/// <summary>The help of the built module, as PowerShell shows it.</summary>
public sealed partial class ModuleHelpTests : IDisposable
{
    private readonly ModuleSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Every_cmdlet_has_help_with_three_examples_and_all_of_its_parameters()
    {
        IReadOnlyList<PSObject> cmdlets = _session.Get("Get-Command -Module FunctionBuild");
        Assert.NotEmpty(cmdlets);
        foreach (CmdletInfo cmdlet in cmdlets.Select(c => (CmdletInfo)c.BaseObject))
        {
            PSObject help = Assert.Single(_session.Get("Get-Help $args[0] -Full", cmdlet.Name));
            Assert.NotEmpty(Text(help, "Synopsis"));
            Assert.True(Assert.Single(_session.Get("@($args[0].examples.example).Count", help)).BaseObject is >= 3, cmdlet.Name);
            Assert.Equal(
                cmdlet.Parameters.Keys.Except(Cmdlet.CommonParameters).Order(StringComparer.Ordinal),
                _session.Get("$args[0].parameters.parameter.name", help).Select(n => n.ToString()).Order(StringComparer.Ordinal));
            Assert.Equal(cmdlet.ParameterSets.Count, _session.Get("@($args[0].syntax.syntaxItem)", help).Count);
        }
    }

    [Fact]
    public void The_about_topic_is_found_and_has_a_synopsis()
    {
        PSObject about = Assert.Single(_session.Get("Get-Help about_FunctionBuild"));
        Assert.StartsWith("TOPIC", about.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(Text(about, "Synopsis"));
    }

    [Fact]
    public void Every_error_id_in_the_pages_is_one_that_the_module_has()
    {
        HashSet<string> known = [.. Directory.EnumerateFiles(Built.Module, "FunctionBuild*.dll", SearchOption.AllDirectories).SelectMany(ReadStrings)];
        List<string> documented = [.. _session.Get("Get-Command -Module FunctionBuild")
            .Select(c => File.ReadAllText(Path.Combine(Built.Repository, "docs", $"{((CmdletInfo)c.BaseObject).Name}.md")))
            .SelectMany(page => ErrorId().Matches(page).Select(m => m.Groups[1].Value))];
        Assert.NotEmpty(documented);
        Assert.Empty(documented.Except(known));
    }

    private static string Text(PSObject help, string property) => help.Properties[property].Value.ToString()!;

    /// <summary>The strings in an assembly's code.</summary>
    private static List<string> ReadStrings(string file)
    {
        using var assembly = new PEReader(File.OpenRead(file));
        MetadataReader metadata = assembly.GetMetadataReader();
        var strings = new List<string>();
        for (UserStringHandle handle = MetadataTokens.UserStringHandle(0); ;)
        {
            handle = metadata.GetNextHandle(handle);
            if (handle.IsNil)
            {
                return strings;
            }

            strings.Add(metadata.GetUserString(handle));
        }
    }

    [GeneratedRegex("^- `([A-Z][A-Za-z]+)`: ", RegexOptions.Multiline)]
    private static partial Regex ErrorId();
}
