using System.Management.Automation;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild;

/// <summary>
/// What happens when the module is imported and removed, and when the process ends: loads what the module depends on in
/// a load context of its own, and closes the session's workspaces.
/// </summary>
public sealed class ModuleLifetime : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    private const string CoreName = "FunctionBuild.Core";

    private static readonly Lock Gate = new();
    private static DependencyContext? _context;
    private static PosixSignalRegistration[]? _signals;
    private static int _imports;

    /// <summary>Called by PowerShell before it looks at the module's cmdlets.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (_context is null)
            {
                string folder = Path.Combine(Path.GetDirectoryName(typeof(ModuleLifetime).Assembly.Location)!, "dependencies");
                _context = new DependencyContext(folder);
                AssemblyLoadContext.Default.Resolving += (_, name) => name.Name == CoreName ? _context.LoadFromAssemblyName(name) : null;
            }

            if (_imports++ == 0)
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
            if (--_imports > 0)
            {
                return;
            }

            AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
            foreach (PosixSignalRegistration signal in _signals ?? [])
            {
                signal.Dispose();
            }

            _signals = null;
        }

        WorkspaceSession.CloseAll();
    }

    private static void Watch()
    {
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;

        // The runtime ends a process on these without raising ProcessExit (since .NET 10). The handlers let the signal
        // take its course afterwards. Ctrl+C is the shell's: it stops a pipeline, not the session.
        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal)];
    }

    private static void OnSignal(PosixSignalContext context) => WorkspaceSession.CloseAll();

    private static void OnProcessExit(object? sender, EventArgs e) => WorkspaceSession.CloseAll();

    /// <summary>
    /// Holds the module's own copies of its dependencies, so that another module can carry other versions of the same
    /// libraries in the same process.
    /// </summary>
    private sealed class DependencyContext(string folder) : AssemblyLoadContext("FunctionBuild")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            string path = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
