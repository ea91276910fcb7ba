using YamlDotNet.Core;

namespace FunctionBuild.Core.Rendering.Output;

/// <summary>Which styles a text can be written in, by libyaml's rules.</summary>
internal sealed class ScalarShape
{
    private bool _isMultiline;
    private bool _isPlainAllowed = true;
    private bool _isSingleQuotedAllowed = true;
    private bool _isBlockAllowed = true;

    /// <summary>Looks at a text.</summary>
    public static ScalarShape Of(string text)
    {
        var shape = new ScalarShape();
        if (text.Length == 0)
        {
            shape._isBlockAllowed = false;
            return shape;
        }

        shape.CheckIndicators(text);
        shape.CheckSpaces(text);
        if (!text.All(IsPrintable))
        {
            shape.AllowDoubleQuotedOnly();
        }

        return shape;
    }

    /// <summary>The style itself if it can be used, or the next that can.</summary>
    /// <param name="style">Plain, literal or double-quoted.</param>
    /// <param name="isKey">The text is a key.</param>
    public ScalarStyle Allow(ScalarStyle style, bool isKey)
    {
        if (isKey && _isMultiline)
        {
            return ScalarStyle.DoubleQuoted;
        }

        return style switch
        {
            ScalarStyle.Plain when _isPlainAllowed => ScalarStyle.Plain,
            ScalarStyle.Plain when _isSingleQuotedAllowed => ScalarStyle.SingleQuoted,
            ScalarStyle.Literal when _isBlockAllowed && !isKey => ScalarStyle.Literal,
            _ => ScalarStyle.DoubleQuoted,
        };
    }

    private void CheckIndicators(string text)
    {
        _isPlainAllowed = !text.StartsWith("---", StringComparison.Ordinal)
            && !text.StartsWith("...", StringComparison.Ordinal)
            && text[0] is not ('#' or ',' or '[' or ']' or '{' or '}' or '&' or '*' or '!' or '|' or '>' or '\'' or '"' or '%' or '@' or '`')
            && !(text[0] is '?' or ':' or '-' && IsBlankAt(1));
        for (int i = 1; i < text.Length && _isPlainAllowed; i++)
        {
            _isPlainAllowed = text[i] switch
            {
                ':' => !IsBlankAt(i + 1),
                '#' => !IsBlankAt(i - 1),
                _ => true,
            };
        }

        bool IsBlankAt(int index) => index >= text.Length || text[index] is ' ' or '\t' || IsBreak(text[index]);
    }

    private void CheckSpaces(string text)
    {
        _isMultiline = text.Any(IsBreak);
        bool beginsOrEndsBlank = text[0] == ' ' || IsBreak(text[0]) || text[^1] == ' ' || IsBreak(text[^1]);
        if (_isMultiline || beginsOrEndsBlank)
        {
            _isPlainAllowed = false;
        }

        if (text[^1] == ' ')
        {
            _isBlockAllowed = false;
        }

        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == ' ' && IsBreak(text[i - 1]))
            {
                _isSingleQuotedAllowed = false;
            }
            else if (IsBreak(text[i]) && text[i - 1] == ' ')
            {
                AllowDoubleQuotedOnly();
            }
        }
    }

    private void AllowDoubleQuotedOnly() => _isPlainAllowed = _isSingleQuotedAllowed = _isBlockAllowed = false;

    private static bool IsBreak(char c) => c is '\n' or '\r' or '\u0085' or '\u2028' or '\u2029';

    // A half of a pair stands for a character above U+FFFF, which libyaml escapes, as it does tabs.
    private static bool IsPrintable(char c) =>
        c is '\n' or (>= ' ' and <= '~') or (>= '\u00A0' and < '\uD800') or (>= '\uE000' and <= '\uFFFD' and not '\uFEFF');
}
