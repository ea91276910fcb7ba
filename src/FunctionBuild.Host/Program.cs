using System.Management.Automation;
using System.Reflection;

namespace FunctionBuild.Host;

internal static class Program
{
    internal static string Version { get; } =
        typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static int Main(string[] args)
    {
        CommandLine line;
        try
        {
            line = CommandLine.Parse(args);
        }
        catch (UsageException e)
        {
            Console.Error.WriteLine($"functionbuild: {e.Message}");
            Console.Error.WriteLine("'functionbuild -Help' tells how to call it.");
            return ExitCode.BadUsage;
        }

        switch (line.Mode)
        {
            case RunMode.Help:
                HelpText.Write(Console.Out);
                return ExitCode.Success;
            case RunMode.Version:
                Console.WriteLine($"functionbuild {Version}, PowerShell {PSVersion()}");
                return ExitCode.Success;
            default:
                return Run(line);
        }
    }

    internal static string PSVersion() => typeof(PSObject).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split(' ')[0];

    private static int Run(CommandLine line)
    {
        // The engine would report to its makers which modules are loaded.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        ConsoleUI ui = new(interactive: !line.NonInteractive && !Console.IsInputRedirected);
        using Session session = new(ui);
        using StopSignals signals = new(session, returnsToPrompt: line.Mode == RunMode.Prompt && ui.IsInteractive);
        session.Open();
        int exitCode = line.Mode switch
        {
            RunMode.Script => session.RunScript(line.Text, line.Arguments),
            RunMode.Command => session.RunCommand(line.Text),
            _ => new Prompt(session, ui).Run(),
        };
        return signals.ExitCode ?? exitCode;
    }
}
