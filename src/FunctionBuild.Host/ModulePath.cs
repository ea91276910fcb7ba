namespace FunctionBuild.Host;

/// <summary>Where the session looks for modules.</summary>
internal static class ModulePath
{
    private const string Variable = "PSModulePath";

    // Part of every full PowerShell, and usable only there.
    private const string ShellModule = "Microsoft.PowerShell.Utility";

    /// <summary>The folder of the modules that come with the host.</summary>
    public static string Bundled { get; } = Path.Combine(AppContext.BaseDirectory, "Modules");

    /// <summary>
    /// Puts the host's modules first and takes out the folders of an installed PowerShell's own: the engine would find
    /// commands there that it can't load.
    /// </summary>
    public static void Set()
    {
        IEnumerable<string> others = (Environment.GetEnvironmentVariable(Variable) ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(folder => !Directory.Exists(Path.Combine(folder, ShellModule)));
        Environment.SetEnvironmentVariable(Variable, string.Join(Path.PathSeparator, [Bundled, .. others]));
    }
}
