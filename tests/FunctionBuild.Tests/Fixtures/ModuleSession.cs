using System.Management.Automation;
using System.Management.Automation.Runspaces;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Tests.Fixtures;

/// <summary>A runspace with the built module in it and a folder of its own, where its workspaces are made too.</summary>
internal sealed class ModuleSession : IDisposable
{
    private const string RootVariable = "FUNCTIONBUILD_WORKSPACE_ROOT";

    private readonly string? _oldRoot = Environment.GetEnvironmentVariable(RootVariable);
    private readonly Runspace _runspace;

    public ModuleSession()
    {
        Environment.SetEnvironmentVariable(RootVariable, Folder.Combine("workspaces"));
        InitialSessionState state = InitialSessionState.CreateDefault2();
        state.ImportPSModule(Path.Combine(Built.Module, "FunctionBuild.psd1"));
        state.ThrowOnRunspaceOpenError = true;
        _runspace = RunspaceFactory.CreateRunspace(state);
        _runspace.Open();
        _runspace.SessionStateProxy.Path.SetLocation(Folder.Path);
    }

    public TestFolder Folder { get; } = new();

    /// <summary>The folders of the workspaces that there are.</summary>
    public IEnumerable<string> WorkspaceFolders =>
        Directory.Exists(Folder.Combine("workspaces")) ? Directory.EnumerateDirectories(Folder.Combine("workspaces")) : [];

    /// <summary>Runs a script whose <c>$args</c> are the arguments; an error that ends a command ends the script too.</summary>
    public ShellResult Run(string script, params object?[] arguments)
    {
        using PowerShell shell = Prepare($"try {{ {script} }} catch {{ throw }}", arguments);
        var output = new List<PSObject>();
        ErrorRecord? ended = null;
        try
        {
            shell.Invoke(null, output, new PSInvocationSettings());
        }
        catch (RuntimeException e)
        {
            ended = e.ErrorRecord;
        }

        return new ShellResult(output, [.. shell.Streams.Error], ended, [.. shell.Streams.Verbose.Select(v => v.Message)], [.. shell.Streams.Warning.Select(w => w.Message)], [.. shell.Streams.Progress]);
    }

    /// <summary>Runs a script that must go without any error; what it gave.</summary>
    public IReadOnlyList<PSObject> Get(string script, params object?[] arguments)
    {
        ShellResult result = Run(script, arguments);
        Assert.Null(result.Ended);
        Assert.Empty(result.Errors);
        return result.Output;
    }

    /// <summary>Prepares a script for a test that runs and stops it by itself.</summary>
    public PowerShell Prepare(string script, params object?[] arguments)
    {
        var shell = PowerShell.Create(_runspace);
        shell.AddScript(script, useLocalScope: false);
        foreach (object? argument in arguments)
        {
            shell.AddArgument(argument);
        }

        return shell;
    }

    public void Dispose()
    {
        Run("Get-BuildWorkspace | Remove-BuildWorkspace");
        _runspace.Dispose();
        Environment.SetEnvironmentVariable(RootVariable, _oldRoot);
        Folder.Dispose();
    }
}
