using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Runtime.InteropServices;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild;

/// <summary>
/// What happens when the module is imported and removed, and when the process ends: the session's workspaces are closed.
/// </summary>
public sealed class ModuleLifetime : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    private static readonly Lock Gate = new();
    private static readonly List<Runspace?> Importers = [];
    private static PosixSignalRegistration[]? Signals;

    /// <summary>Called by PowerShell when the module is imported into a session.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (Signals is null)
            {
                Watch();
            }

            ForgetClosed();
            Importers.Add(Runspace.DefaultRunspace);
        }
    }

    /// <summary>Called by PowerShell when the module is removed from a session.</summary>
    /// <param name="psModuleInfo">The module.</param>
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        lock (Gate)
        {
            // Several runspaces of one process may have imported it; the last one out closes.
            Importers.Remove(Runspace.DefaultRunspace);
            ForgetClosed();
            if (Importers.Count > 0)
            {
                return;
            }
        }

        WorkspaceSession.CloseAll();
    }

    // Never undone: a module that nests this one can go on using it after it was removed from the session.
    private static void Watch()
    {
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;

        // The runtime ends a process on these without raising ProcessExit (since .NET 10). The handlers let the signal
        // take its course afterwards. Ctrl+C is the shell's: it stops a pipeline, not the session.
        Signals = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal)];
    }

    // A runspace that ends with the module in it, as those of ForEach-Object -Parallel do, goes without a word.
    private static void ForgetClosed() =>
        Importers.RemoveAll(r => r?.RunspaceStateInfo.State is RunspaceState.Closing or RunspaceState.Closed or RunspaceState.Broken);

    private static void OnSignal(PosixSignalContext context) => WorkspaceSession.CloseAll();

    private static void OnProcessExit(object? sender, EventArgs e) => WorkspaceSession.CloseAll();
}
