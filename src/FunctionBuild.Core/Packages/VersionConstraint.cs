namespace FunctionBuild.Core.Packages;

/// <summary>
/// The grammar of Crossplane's version constraints, that of Masterminds/semver version 3:
/// <c>&gt;=v1.14.0, &lt;2 || ~3.1 || 1.2 - 1.4</c>.
/// </summary>
internal static class VersionConstraint
{
    private static readonly string[] Operators = ["!=", ">=", "=>", "<=", "=<", "~>", "=", ">", "<", "~", "^"];
    private static readonly char[] Spaces = [' ', '\t', '\n', '\f', '\r'];

    /// <summary>Why the text is no constraint; null when it is one.</summary>
    public static string? Check(string text)
    {
        foreach (string alternative in text.Split("||"))
        {
            string? problem = CheckAll(alternative);
            if (problem is not null)
            {
                return problem;
            }
        }

        return null;
    }

    private static string? CheckAll(string group)
    {
        var terms = new List<string>();
        foreach (string part in group.Split(','))
        {
            string[] words = part.Split(Spaces, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
            {
                return "it is empty, or has an empty part";
            }

            // "1.2 - 1.4" is a range of two bare versions; "> 1.2" is an operator apart from its version.
            for (int i = 0; i < words.Length; i++)
            {
                if (i > 0 && i + 1 < words.Length && words[i] == "-" && CheckVersion(words[i - 1]) is null && CheckVersion(words[i + 1]) is null)
                {
                    i++;
                    terms.Add(words[i]);
                }
                else if (Operators.Contains(words[i]) && i + 1 < words.Length)
                {
                    i++;
                    terms.Add(words[i]);
                    if (CheckVersion(words[i]) is { } problem)
                    {
                        return problem;
                    }
                }
                else
                {
                    terms.Add(words[i]);
                }
            }
        }

        return terms.Select(CheckTerm).FirstOrDefault(p => p is not null);
    }

    private static string? CheckTerm(string term)
    {
        string? op = Operators.FirstOrDefault(o => term.StartsWith(o, StringComparison.Ordinal));
        return CheckVersion(op is null ? term : term[op.Length..]);
    }

    private static string? CheckVersion(string version)
    {
        string problem = $"'{version}' is not a version";
        string text = version.StartsWith('v') ? version[1..] : version;
        int plus = text.IndexOf('+', StringComparison.Ordinal);
        if (plus >= 0 && !AreIdentifiers(text[(plus + 1)..], numericStrict: false))
        {
            return problem;
        }

        text = plus < 0 ? text : text[..plus];
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash >= 0 && !AreIdentifiers(text[(dash + 1)..], numericStrict: true))
        {
            return problem;
        }

        string[] parts = (dash < 0 ? text : text[..dash]).Split('.');
        bool wild = false;
        foreach (string part in parts)
        {
            wild |= part is "x" or "X" or "*";
            if (!wild && (part.Length == 0 || !part.All(char.IsAsciiDigit) || !ulong.TryParse(part, out _)))
            {
                return problem;
            }
        }

        return parts.Length > 3 ? problem : null;
    }

    private static bool AreIdentifiers(string text, bool numericStrict) => text.Split('.').All(id =>
        id.Length > 0
        && id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
        && !(numericStrict && id.Length > 1 && id[0] == '0' && id.All(char.IsAsciiDigit)));
}
