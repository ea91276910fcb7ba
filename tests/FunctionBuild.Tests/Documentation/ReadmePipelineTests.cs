using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using FunctionBuild.Tests.Fixtures;
using YamlDotNet.RepresentationModel;

namespace FunctionBuild.Tests.Documentation;

/// <summary>The pipelines in the README are YAML of the right shape, and their PowerShell is what the module understands.</summary>
public sealed partial class ReadmePipelineTests : IDisposable
{
    private static readonly string[] ShellCommands = ["ConvertTo-SecureString", "Expand-Archive", "Import-Module"];

    private readonly ModuleSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void The_job_for_GitHub_Actions_publishes()
    {
        YamlMappingNode job = Map(Map(Pipelines()[0], "jobs"), "publish");
        Assert.Equal("ubuntu-latest", Text(job, "runs-on"));
        Assert.Equal("write", Text(Map(job, "permissions"), "packages"));
        List<YamlMappingNode> steps = Steps(job);

        Assert.All(steps, s => Assert.True(s.Children.ContainsKey("uses") ^ s.Children.ContainsKey("run")));
        Assert.All(steps.Where(s => s.Children.ContainsKey("uses")), s => Assert.Matches(@"\A[\w-]+/[\w-]+@v\d+\z", Text(s, "uses")));
        YamlMappingNode publish = Assert.Single(steps, s => s.Children.ContainsKey("shell"));
        Assert.Equal("pwsh", Text(publish, "shell"));
        CheckScript(Text(publish, "run"), [.. Map(publish, "env").Children.Keys.Select(k => $"{k}"), "GITHUB_ACTOR", "GITHUB_REF_NAME"]);
    }

    [Fact]
    public void The_step_for_Azure_Pipelines_publishes()
    {
        YamlMappingNode step = Assert.Single(Steps(Pipelines()[1]));

        Assert.Equal("stop", Text(step, "errorActionPreference"));
        CheckScript(Text(step, "pwsh"), [.. Map(step, "env").Children.Keys.Select(k => $"{k}"), "BUILD_BUILDNUMBER"]);
    }

    private static YamlMappingNode[] Pipelines()
    {
        string readme = File.ReadAllText(Path.Combine(Built.Repository, "README.md")).ReplaceLineEndings("\n");
        YamlMappingNode[] pipelines = [.. YamlBlock().Matches(readme).Select(m =>
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(m.Groups["yaml"].Value));
            return Assert.IsType<YamlMappingNode>(Assert.Single(stream.Documents).RootNode);
        })];
        Assert.Equal(2, pipelines.Length);
        return pipelines;
    }

    private static List<YamlMappingNode> Steps(YamlMappingNode parent) => [.. Assert.IsType<YamlSequenceNode>(parent["steps"]).Cast<YamlMappingNode>()];

    private static YamlMappingNode Map(YamlMappingNode parent, string name) => Assert.IsType<YamlMappingNode>(parent[name]);

    private static string Text(YamlMappingNode parent, string name) => Assert.IsType<YamlScalarNode>(parent[name]).Value!;

    /// <summary>It parses, imports, builds and pushes, and names no parameter and no variable that there is not.</summary>
    private void CheckScript(string script, string[] environment)
    {
        ScriptBlockAst ast = Parser.ParseInput(script, out _, out ParseError[] errors);
        Assert.Empty(errors);
        List<CommandAst> commands = [.. ast.FindAll(a => a is CommandAst, searchNestedScriptBlocks: true).Cast<CommandAst>()];
        Assert.Subset(commands.Select(c => c.GetCommandName()).ToHashSet(), new HashSet<string> { "Import-FunctionTarball", "Build-FunctionImage", "Push-FunctionImage" });
        foreach (CommandAst command in commands.Where(c => !ShellCommands.Contains(c.GetCommandName())))
        {
            var cmdlet = (CmdletInfo)Assert.Single(_session.Get("Get-Command $args[0]", command.GetCommandName())).BaseObject;
            Assert.All(command.CommandElements.OfType<CommandParameterAst>(), p => Assert.Contains(p.ParameterName, cmdlet.Parameters.Keys));
        }

        Assert.All(
            ast.FindAll(a => a is VariableExpressionAst { VariablePath.DriveName: "env" }, searchNestedScriptBlocks: true).Cast<VariableExpressionAst>(),
            v => Assert.Contains(v.VariablePath.UserPath["env:".Length..], environment));
        string version = Assert.IsType<string>(Assert.Single(_session.Get("\"$((Get-Module FunctionBuild).Version)\"")).BaseObject);
        Assert.Contains($"FunctionBuild-{version}.zip", script, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^```yaml\n(?<yaml>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex YamlBlock();
}
