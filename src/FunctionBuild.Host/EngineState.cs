using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Microsoft.PowerShell;

namespace FunctionBuild.Host;

/// <summary>What a session starts with: the engine package's own commands, and the module beside the host.</summary>
internal static class EngineState
{
    private const string ModuleName = "FunctionBuild";

    // These call commands that the engine package does not carry.
    private static readonly string[] BrokenFunctions = ["cd..", "cd\\", "cd~", "oss", "Pause"];

    /// <summary>The names of the engine's cmdlets and functions on this system, in order.</summary>
    public static IReadOnlyList<string> CommandNames()
    {
        using Runspace runspace = RunspaceFactory.CreateRunspace(CreateEngineOnly());
        runspace.Open();
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddCommand("Get-Command").AddParameter("CommandType", CommandTypes.Cmdlet | CommandTypes.Function).AddParameter("ListImported");
        return [.. shell.Invoke<CommandInfo>().Select(command => command.Name).Order(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Makes the state of a new session.</summary>
    public static InitialSessionState Create()
    {
        InitialSessionState state = CreateEngineOnly();
        if (OperatingSystem.IsWindows())
        {
            // Elsewhere there are no execution policies, and the engine refuses to set one.
            state.ExecutionPolicy = ExecutionPolicy.Bypass;
        }

        state.ImportPSModule(Path.Combine(ModulePath.Bundled, ModuleName, ModuleName + ".psd1"));
        state.ThrowOnRunspaceOpenError = true;
        return state;
    }

    // CreateDefault would also want the assemblies of the full shell.
    private static InitialSessionState CreateEngineOnly()
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        foreach (string name in BrokenFunctions)
        {
            state.Commands.Remove(name, typeof(SessionStateFunctionEntry));
        }

        // An alias of a command that is not here would only hide a program of the same name, such as echo.
        HashSet<string> commands = [.. state.Commands.Select(entry => entry.Name)];
        foreach (SessionStateAliasEntry alias in state.Commands.OfType<SessionStateAliasEntry>().ToArray())
        {
            if (!commands.Contains(alias.Definition))
            {
                state.Commands.Remove(alias.Name, typeof(SessionStateAliasEntry));
            }
        }

        return state;
    }
}
