using System.Text;

namespace FunctionBuild.Help.Output;

/// <summary>Lays text out in lines of a limited width.</summary>
internal static class TextLayout
{
    /// <summary>Fills lines with words; a word that is wider than a line stands on its own.</summary>
    /// <param name="words">The words.</param>
    /// <param name="width">The most columns of a line.</param>
    /// <param name="indent">Before the first line.</param>
    /// <param name="hanging">Before the others.</param>
    public static string Wrap(IEnumerable<string> words, int width, string indent, string hanging)
    {
        var text = new StringBuilder();
        string line = string.Empty;
        foreach (string word in words)
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                text.Append(line).Append('\n');
                line = hanging + word;
            }
            else
            {
                line = line.Length == 0 ? indent + word : $"{line} {word}";
            }
        }

        return text.Append(line).ToString();
    }
}
