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
        for (int i = 0; i < words.Count; i++)
        {
            string word = words[i];
            if (named && word == EndOfNames)
            {
                named = false;
            }
            else if (!named || word is not ['-', _, ..])
            {
                command.Parameters.Add(null, word);
            }
            else if (word is [.., ':'] && i + 1 < words.Count)
            {
                command.Parameters.Add(word, Value(words[++i]));
            }
            else
            {
                command.Parameters.Add(Named(word));
            }
        }
    }

    // To the engine, a name with its dash is one whose value may be the next word; with a colon, the value is here.
    private static CommandParameter Named(string word)
    {
        int colon = word.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? new CommandParameter(word) : new CommandParameter(word[..(colon + 1)], Value(word[(colon + 1)..]));
    }

    private static object Value(string text) => text.ToUpperInvariant() switch
    {
        "$TRUE" or "TRUE" => true,
        "$FALSE" or "FALSE" => false,
        _ => text,
    };
}
