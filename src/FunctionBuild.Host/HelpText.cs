using System.Text;

namespace FunctionBuild.Host;

/// <summary>What <c>functionbuild -Help</c> prints.</summary>
internal static class HelpText
{
    private const int Width = 100;

    /// <summary>Writes the help.</summary>
    public static void Write(TextWriter writer)
    {
        writer.WriteLine(
            $$"""
            functionbuild {{Program.Version}}: PowerShell's engine ({{Program.PSVersion()}}) with the FunctionBuild module loaded.

            Usage: functionbuild [-NonInteractive] [-File] <script.ps1> [arguments]
                   functionbuild [-NonInteractive] -Command <text>
                   functionbuild -Help | -Version

              <script.ps1>      Runs a script. Arguments are bound to its parameters: -Name value, -Name:value, -Switch,
                                -Switch:$false; every word after -- is a value.
              -Command, -c      Runs the text that follows; '-' reads commands from standard input.
              -NonInteractive   Never asks: a command that wants to, fails.
              -Help, -h         Prints this. -Version prints the versions.
              Without a script or a command: a prompt, or, when standard input is not a terminal, the commands read from it.

            Streams: output, information and what is written to the host go to standard output; errors, warnings, verbose
            and debug messages and questions go to standard error, and so does progress if that is a terminal.

            Exit codes: 0; N after 'exit N'; 1 after a terminating error, or when the last statement of -Command or of
            standard input failed; 64 for bad usage or a missing script; 130 after Ctrl+C; 143 after a request to
            terminate. Ctrl+C lets the running commands clean up; a second Ctrl+C does not wait for them. At the prompt it
            stops the running command, and leaves when there is none.

            Commands: this is not the whole of PowerShell. Beside the language, .NET and the FunctionBuild module, there is
            what the engine's package carries, and nothing more:
            """);
        WriteNames(writer, EngineState.CommandNames());
        writer.WriteLine(
            """

            The modules Microsoft.PowerShell.Utility, .Management and .Security are not in it, so there is no Write-Host,
            Write-Output, Get-ChildItem, Get-Content, Select-Object, Sort-Object, Format-Table, Join-Path or Read-Host, and
            no alias of one. Use a bare expression for output, $Host.UI.WriteLine('text') for messages, [System.IO.File]
            and [System.IO.Path] for files. A script that needs those commands runs in pwsh 7.6 with Import-Module FunctionBuild.
            """);
    }

    private static void WriteNames(TextWriter writer, IEnumerable<string> names)
    {
        StringBuilder line = new(" ");
        foreach (string name in names)
        {
            if (line.Length + 1 + name.Length > Width)
            {
                writer.WriteLine(line);
                line.Clear().Append(' ');
            }

            line.Append(' ').Append(name);
        }

        writer.WriteLine(line);
    }
}
