using System.Text;

namespace FunctionBuild.Core.Rendering.Output;

/// <summary>The order in which Go's yaml.v2 writes keys: numbers within them by value, and letters after everything else.</summary>
internal static class NaturalOrder
{
    /// <summary>Compares two keys.</summary>
    public static int Compare(string a, string b)
    {
        Rune[] left = [.. a.EnumerateRunes()];
        Rune[] right = [.. b.EnumerateRunes()];
        int i = 0;
        while (i < left.Length && i < right.Length && left[i] == right[i])
        {
            i++;
        }

        return i == left.Length || i == right.Length ? left.Length.CompareTo(right.Length) : CompareAt(left, right, i);
    }

    private static int CompareAt(Rune[] left, Rune[] right, int at)
    {
        bool leftIsLetter = Rune.IsLetter(left[at]);
        bool rightIsLetter = Rune.IsLetter(right[at]);
        if (leftIsLetter || rightIsLetter)
        {
            return leftIsLetter && rightIsLetter ? left[at].CompareTo(right[at]) : rightIsLetter ? -1 : 1;
        }

        // Within a number that both begin with, a zero that follows must not count as a leading one.
        bool isWithin = (left[at].Value == '0' || right[at].Value == '0')
            && left[..at].Reverse().TakeWhile(Rune.IsDigit).Any(r => r.Value != '0');
        (long leftNumber, int leftEnd) = NumberAt(left, at, isWithin);
        (long rightNumber, int rightEnd) = NumberAt(right, at, isWithin);
        int order = leftNumber.CompareTo(rightNumber);
        order = order != 0 ? order : leftEnd.CompareTo(rightEnd);
        return order != 0 ? order : left[at].CompareTo(right[at]);
    }

    private static (long Number, int End) NumberAt(Rune[] text, int at, bool isWithin)
    {
        long number = isWithin ? 1 : 0;
        int end = at;
        for (; end < text.Length && Rune.IsDigit(text[end]); end++)
        {
            number = unchecked((number * 10) + (text[end].Value - '0'));
        }

        return (number, end);
    }
}
