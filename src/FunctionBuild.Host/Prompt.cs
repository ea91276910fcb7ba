using System.Management.Automation.Language;

namespace FunctionBuild.Host;

/// <summary>Reads commands from standard input and runs each as soon as it is complete, until the input ends or <c>exit</c>.</summary>
internal sealed class Prompt(Session session, ConsoleUI ui)
{
    private const string First = "functionbuild> ";
    private const string Continuation = ">> ";

    /// <summary>Runs until the end.</summary>
    /// <returns>The process's exit code: <c>exit</c>'s, else that of the last command of a batch.</returns>
    public int Run()
    {
        bool succeeded = true;
        string pending = "";
        while (session.ExitRequest is null)
        {
            if (ui.IsInteractive)
            {
                ui.Ask(pending.Length == 0 ? First : Continuation);
            }

            string? line = Console.ReadLine();
            pending = pending.Length == 0 ? line ?? "" : pending + Environment.NewLine + line;
            // An empty line ends a command even if it is incomplete: its error says what is missing.
            if (!string.IsNullOrEmpty(line) && IsIncomplete(pending))
            {
                continue;
            }

            if (!string.IsNullOrWhiteSpace(pending))
            {
                succeeded = session.RunStatement(pending);
            }

            if (line is null)
            {
                break;
            }

            pending = "";
        }

        return session.ExitRequest ?? (succeeded || ui.IsInteractive ? ExitCode.Success : ExitCode.Failure);
    }

    private static bool IsIncomplete(string text)
    {
        Parser.ParseInput(text, out _, out ParseError[] errors);
        return errors.Any(error => error.IncompleteInput);
    }
}
