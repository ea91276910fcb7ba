using System.Management.Automation.Host;

namespace FunctionBuild.Host;

/// <summary>A question with fixed answers; in a label, the letter after <c>&amp;</c> is its short form.</summary>
internal sealed class ChoiceQuestion(IReadOnlyList<ChoiceDescription> choices, int defaultChoice)
{
    /// <summary>Asks until an answer fits.</summary>
    /// <param name="write">Shows text to the user.</param>
    /// <param name="read">Reads a line from the user.</param>
    /// <returns>The index of the choice.</returns>
    public int Ask(Action<string> write, Func<string> read)
    {
        while (true)
        {
            foreach (ChoiceDescription choice in choices)
            {
                write($"[{Key(choice)}] {Label(choice)}  ");
            }

            write(defaultChoice >= 0 ? $"[?] Help (default is \"{Key(choices[defaultChoice])}\"): " : "[?] Help: ");
            string answer = read().Trim();
            if (answer.Length == 0 && defaultChoice >= 0)
            {
                return defaultChoice;
            }

            if (answer == "?")
            {
                WriteHelp(write);
                continue;
            }

            for (int i = 0; i < choices.Count; i++)
            {
                if (Same(answer, Key(choices[i])) || Same(answer, Label(choices[i])))
                {
                    return i;
                }
            }
        }
    }

    private void WriteHelp(Action<string> write)
    {
        foreach (ChoiceDescription choice in choices)
        {
            write($"{Key(choice)} - {choice.HelpMessage}{Environment.NewLine}");
        }
    }

    private static string Label(ChoiceDescription choice) => choice.Label.Replace("&", "", StringComparison.Ordinal);

    private static string Key(ChoiceDescription choice)
    {
        int mark = choice.Label.IndexOf('&', StringComparison.Ordinal);
        return mark >= 0 && mark < choice.Label.Length - 1
            ? choice.Label[mark + 1].ToString().ToUpperInvariant()
            : Label(choice);
    }

    private static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
