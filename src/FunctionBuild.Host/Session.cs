using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace FunctionBuild.Host;

/// <summary>One PowerShell runspace with the module loaded, which runs one thing at a time and can be told to stop it.</summary>
internal sealed class Session : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ConsoleUI _ui;
    private readonly EngineHost _host;
    private readonly Runspace _runspace;
    private PowerShell? _running;
    private bool _stopping;

    /// <summary>Prepares a session that talks to the user through <paramref name="ui"/>.</summary>
    public Session(ConsoleUI ui)
    {
        _ui = ui;
        _host = new EngineHost(ui);
        _runspace = RunspaceFactory.CreateRunspace(_host, EngineState.Create());
        _runspace.ThreadOptions = PSThreadOptions.ReuseThread;
    }

    /// <summary>The code given to <c>exit</c>, once it was called; what comes after it must not run.</summary>
    public int? ExitRequest => _host.ExitRequest;

    /// <summary>Starts the engine and loads the module.</summary>
    public void Open()
    {
        _runspace.Open();
        ModulePath.Set();
    }

    /// <summary>Runs a script file; an error that it survives leaves its exit code at 0.</summary>
    /// <returns>The process's exit code.</returns>
    public int RunScript(string path, IReadOnlyList<string> arguments)
    {
        Command script = new(path, isScript: false, useLocalScope: false);
        ScriptArguments.Add(script, arguments);
        EngineInternals.LetScriptExitTheHost(_runspace);
        bool completed = Run(script);
        return ExitRequest ?? (completed ? ExitCode.Success : ExitCode.Failure);
    }

    /// <summary>Runs the text of a command; its last statement decides its exit code.</summary>
    /// <returns>The process's exit code.</returns>
    public int RunCommand(string text)
    {
        bool succeeded = RunStatement(text);
        return ExitRequest ?? (succeeded ? ExitCode.Success : ExitCode.Failure);
    }

    /// <summary>Runs the text of a command.</summary>
    /// <returns>Whether its last statement succeeded.</returns>
    public bool RunStatement(string text) =>
        Run(new Command(text, isScript: true, useLocalScope: false)) && _runspace.SessionStateProxy.GetVariable("?") is true;

    /// <summary>Has the running pipeline stop; its commands clean up before it ends.</summary>
    public StopResult Stop()
    {
        lock (_gate)
        {
            if (_running is null)
            {
                return StopResult.Idle;
            }

            if (_stopping)
            {
                return StopResult.AlreadyStopping;
            }

            _stopping = true;
            _running.BeginStop(null, null);
            return StopResult.Stopping;
        }
    }

    /// <summary>Closes the runspace, and with it what the module holds.</summary>
    public void Dispose() => _runspace.Dispose();

    private bool Run(Command command)
    {
        using PowerShell shell = PowerShell.Create(_runspace);
        // Errors go down the pipeline with the output, so that both are formatted in the order in which they came.
        command.MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        shell.Commands.AddCommand(command).AddCommand("Out-Default");
        try
        {
            Begin(shell);
            // Only what goes to the history leaves its own $? behind.
            shell.Invoke(null, new PSInvocationSettings { AddToHistory = true });
            return true;
        }
        catch (PipelineStoppedException)
        {
            return false;
        }
        catch (RuntimeException e)
        {
            Report(e);
            return false;
        }
        finally
        {
            End();
        }
    }

    private void Report(RuntimeException exception)
    {
        using PowerShell shell = PowerShell.Create(_runspace);
        shell.AddCommand("Out-Default").AddParameter("InputObject", exception.ErrorRecord);
        _ui.AsError(() => shell.Invoke());
    }

    private void Begin(PowerShell shell)
    {
        lock (_gate)
        {
            _running = shell;
        }
    }

    private void End()
    {
        lock (_gate)
        {
            _running = null;
            _stopping = false;
        }
    }
}
