using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FunctionBuild.Core.Packages;

/// <summary>
/// What scalars mean to the YAML reader of Kubernetes, which is that of YAML 1.1 with times left as strings. A field
/// that must be a string and is written <c>1.20</c> or <c>yes</c> cannot be installed.
/// </summary>
internal static partial class PlainScalar
{
    private const string StringTag = "tag:yaml.org,2002:str";

    /// <summary>Whether text without quotes is read as that string.</summary>
    public static bool IsString(string text) => !IsNull(text) && !OtherType().IsMatch(text);

    /// <summary>Whether a scalar is a string: by its quotes, its tag or its text.</summary>
    public static bool IsString(YamlScalarNode scalar) => scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific
        ? scalar.Style != ScalarStyle.Plain || IsString(scalar.Value ?? string.Empty)
        : scalar.Tag.Value == StringTag;

    /// <summary>Whether a scalar is no value at all.</summary>
    public static bool IsNull(YamlScalarNode scalar) => scalar.Style == ScalarStyle.Plain && !IsString(scalar) && IsNull(scalar.Value ?? string.Empty);

    private static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";

    [GeneratedRegex(
        @"\A(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE"
            + @"|[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)"
            + @"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex OtherType();
}
