using System.Management.Automation;
using System.Runtime.InteropServices;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild;

/// <summary>
/// What happens when the module is imported and removed, and when the process ends: the session's workspaces are closed.
/// </summary>
public sealed class ModuleLifetime : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    private static readonly Lock Gate = new();
    private static PosixSignalRegistration[]? Signals;
    private static int Imports;

    /// <summary>Called by PowerShell when the module is imported into a session.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (Imports++ == 0)
            {
                Watch();
            }
        }
    }

    /// <summary>Called by PowerShell when the module is removed from a session.</summary>
    /// <param name="psModuleInfo">The module.</param>
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        lock (Gate)
        {
            // Several runspaces of one process may have imported it; the last one out closes.
            if (--Imports > 0)
            {
                return;
            }

            AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
            foreach (PosixSignalRegistration signal in Signals ?? [])
            {
                signal.Dispose();
            }

            Signals = null;
        }

        WorkspaceSession.CloseAll();
    }

    private static void Watch()
    {
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;

        // The runtime ends a process on these without raising ProcessExit (since .NET 10). The handlers let the signal
        // take its course afterwards. Ctrl+C is the shell's: it stops a pipeline, not the session.
        Signals = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal)];
    }

    private static void OnSignal(PosixSignalContext context) => WorkspaceSession.CloseAll();

    private static void OnProcessExit(object? sender, EventArgs e) => WorkspaceSession.CloseAll();
}
