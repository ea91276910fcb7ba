using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using System.Text;

namespace FunctionBuild.Host;

/// <summary>
/// The user's end of a session. Output, information and what is written to the host go to standard output; errors,
/// warnings, verbose and debug messages, progress and questions to standard error, so that output can be redirected alone.
/// </summary>
internal sealed class ConsoleUI(bool interactive) : PSHostUserInterface
{
    private readonly Lock _gate = new();
    private readonly ProgressLine _progress = new();
    private bool _asError;

    /// <summary>Whether there is a user to ask.</summary>
    public bool IsInteractive => interactive;

    /// <inheritdoc/>
    public override PSHostRawUserInterface RawUI { get; } = new ConsoleRawUI();

    /// <inheritdoc/>
    public override bool SupportsVirtualTerminal { get; } =
        !OperatingSystem.IsWindows()
        && !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb")
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <inheritdoc/>
    public override void Write(string value) => Print(Console.Out, value);

    /// <inheritdoc/>
    public override void WriteLine(string value)
    {
        if (_asError)
        {
            WriteErrorLine(value);
        }
        else
        {
            Print(Console.Out, value + Environment.NewLine);
        }
    }

    /// <inheritdoc/>
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
    {
        lock (_gate)
        {
            if (!SupportsVirtualTerminal && !OperatingSystem.IsWindows())
            {
                Write(value);
                return;
            }

            (ConsoleColor foreground, ConsoleColor background) = (Console.ForegroundColor, Console.BackgroundColor);
            (Console.ForegroundColor, Console.BackgroundColor) = (foregroundColor, backgroundColor);
            Write(value);
            (Console.ForegroundColor, Console.BackgroundColor) = (foreground, background);
        }
    }

    /// <inheritdoc/>
    public override void WriteErrorLine(string value) => Tell(value, FormatStyle.Error);

    /// <inheritdoc/>
    public override void WriteWarningLine(string message) => Tell($"WARNING: {message}", FormatStyle.Warning);

    /// <inheritdoc/>
    public override void WriteVerboseLine(string message) => Tell($"VERBOSE: {message}", FormatStyle.Verbose);

    /// <inheritdoc/>
    public override void WriteDebugLine(string message) => Tell($"DEBUG: {message}", FormatStyle.Debug);

    /// <inheritdoc/>
    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
        lock (_gate)
        {
            _progress.Show(record);
        }
    }

    /// <summary>Takes the progress line off the screen, for a program that writes there itself.</summary>
    public void ClearProgress()
    {
        lock (_gate)
        {
            _progress.Clear();
        }
    }

    /// <summary>Does something whose lines are an error's text.</summary>
    public void AsError(Action action)
    {
        _asError = true;
        try
        {
            action();
        }
        finally
        {
            _asError = false;
        }
    }

    /// <summary>Writes a question, or what belongs to one, without ending the line.</summary>
    public void Ask(string text) => Print(Console.Error, text);

    /// <inheritdoc/>
    public override string ReadLine()
    {
        MustBeInteractive();
        return Console.ReadLine() ?? "";
    }

    /// <inheritdoc/>
    public override SecureString ReadLineAsSecureString()
    {
        MustBeInteractive();
        SecureString secret = new();
        for (ConsoleKeyInfo key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key == ConsoleKey.Backspace && secret.Length > 0)
            {
                secret.RemoveAt(secret.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                secret.AppendChar(key.KeyChar);
            }
        }

        Ask(Environment.NewLine);
        secret.MakeReadOnly();
        return secret;
    }

    /// <inheritdoc/>
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
    {
        MustBeInteractive();
        AskAbout(caption, message);
        Dictionary<string, PSObject> answers = [];
        foreach (FieldDescription field in descriptions)
        {
            answers[field.Name] = PSObject.AsPSObject(Answer(field));
        }

        return answers;
    }

    /// <inheritdoc/>
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        MustBeInteractive();
        AskAbout(caption, message);
        return new ChoiceQuestion(choices, defaultChoice).Ask(Ask, ReadLine);
    }

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        PromptForCredential(caption, message, userName, targetName, PSCredentialTypes.Default, PSCredentialUIOptions.Default);

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(
        string caption,
        string message,
        string userName,
        string targetName,
        PSCredentialTypes allowedCredentialTypes,
        PSCredentialUIOptions options)
    {
        MustBeInteractive();
        AskAbout(caption, message);
        if (string.IsNullOrEmpty(userName))
        {
            Ask("User: ");
            userName = ReadLine();
        }

        Ask($"Password for user {userName}: ");
        return new PSCredential(userName, ReadLineAsSecureString());
    }

    private object Answer(FieldDescription field)
    {
        if (field.ParameterTypeFullName == typeof(SecureString).FullName)
        {
            Ask($"{field.Name}: ");
            return ReadLineAsSecureString();
        }

        if (field.ParameterTypeFullName == typeof(PSCredential).FullName)
        {
            return PromptForCredential("", field.Name, "", "");
        }

        // The engine converts text to the parameter's type; a list ends with an empty line.
        if (!field.ParameterTypeFullName.EndsWith("[]", StringComparison.Ordinal))
        {
            Ask($"{field.Name}: ");
            return ReadLine();
        }

        List<string> items = [];
        while (true)
        {
            Ask(string.Create(CultureInfo.InvariantCulture, $"{field.Name}[{items.Count}]: "));
            string item = ReadLine();
            if (item.Length == 0)
            {
                return items.ToArray();
            }

            items.Add(item);
        }
    }

    private void AskAbout(string caption, string message)
    {
        foreach (string text in new[] { caption, message })
        {
            if (!string.IsNullOrEmpty(text))
            {
                Ask(text + Environment.NewLine);
            }
        }
    }

    private void MustBeInteractive()
    {
        if (!interactive)
        {
            throw new HostException(
                "The command asks for input, but standard input is not a terminal (or -NonInteractive was given). Pass the value as a parameter; to skip a confirmation, pass -Confirm:$false.");
        }
    }

    private void Tell(string text, FormatStyle style)
    {
        StringBuilder line = new();
        if (SupportsVirtualTerminal && !Console.IsErrorRedirected)
        {
            line.Append(GetFormatStyleString(style)).Append(text).Append(PSStyle.Instance.Reset);
        }
        else
        {
            line.Append(GetOutputString(text, supportsVirtualTerminal: false));
        }

        Print(Console.Error, line.AppendLine().ToString());
    }

    private void Print(TextWriter writer, string text)
    {
        lock (_gate)
        {
            _progress.Clear();
            writer.Write(SupportsVirtualTerminal ? text : GetOutputString(text, supportsVirtualTerminal: false));
        }
    }
}
