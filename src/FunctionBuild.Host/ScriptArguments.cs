using System.Management.Automation.Runspaces;

namespace FunctionBuild.Host;

/// <summary>
/// Turns a script's words on the command line into parameters: a word that starts with a dash names a parameter, as if
/// typed at a prompt (<c>-Name value</c>, <c>-Name:value</c>, <c>-Switch</c>, <c>-Switch:$false</c>); every other word,
/// and all after <c>--</c>, is a value.
/// </summary>
internal static class ScriptArguments
{
    private const string EndOfNames = "--";

    /// <summary>Adds the words to a command, in order.</summary>
    public static void Add(Command command, IReadOnlyList<string> words)
    {
        bool named = true;
        foreach (string word in words)
        {
            if (named && word == EndOfNames)
            {
                named = false;
            }
            else
            {
                command.Parameters.Add(named && word is ['-', _, ..] ? Named(word) : new CommandParameter(null, word));
            }
        }
    }

    // The engine takes a name with its dash as one whose value may be the next word, and one with its colon as one whose
    // value is given here.
    private static CommandParameter Named(string word)
    {
        int colon = word.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || colon == word.Length - 1
            ? new CommandParameter(word)
            : new CommandParameter(word[..(colon + 1)], Value(word[(colon + 1)..]));
    }

    private static object Value(string text) => text.ToUpperInvariant() switch
    {
        "$TRUE" => true,
        "$FALSE" => false,
        _ => text,
    };
}
