using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace FunctionBuild.Loader;

/// <summary>
/// Holds the module's own copies of its dependencies in a load context of their own, so that another module can carry
/// other versions of the same libraries in the same process. A nested module, because PowerShell loads those first:
/// it looks at the types of the root module, for which the dependencies are needed, before it runs any of its code.
/// </summary>
public sealed class DependencyLoader : IModuleAssemblyInitializer
{
    private const string CoreName = "FunctionBuild.Core";

    private static readonly Lock Gate = new();
    private static DependencyContext? Context;

    /// <summary>Called by PowerShell when it loads the module. Nothing is undone on removal: loaded assemblies stay.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (Context is null)
            {
                string folder = Path.Combine(Path.GetDirectoryName(typeof(DependencyLoader).Assembly.Location)!, "dependencies");
                Context = new DependencyContext(folder);
                AssemblyLoadContext.Default.Resolving += (_, name) => name.Name == CoreName ? Context.LoadFromAssemblyName(name) : null;
            }
        }
    }

    private sealed class DependencyContext(string folder) : AssemblyLoadContext("FunctionBuild")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            string path = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
