using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>
/// What a scalar without quotes means to Kubernetes, which reads and writes YAML 1.1 by way of Go's yaml.v2: <c>yes</c> is
/// true, <c>010</c> is eight, and a time is text.
/// </summary>
/// <param name="Type">What it is.</param>
/// <param name="Value">Its value; null for <see cref="YamlScalarType.Null"/>.</param>
internal readonly partial record struct YamlScalar(YamlScalarType Type, JsonValue? Value)
{
    /// <summary>Tells what text without quotes means.</summary>
    public static YamlScalar Resolve(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return new(YamlScalarType.Null, null);
            case "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON":
                return new(YamlScalarType.Boolean, JsonValue.Create(true));
            case "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF":
                return new(YamlScalarType.Boolean, JsonValue.Create(false));
            case ".nan" or ".NaN" or ".NAN":
                return new(YamlScalarType.Float, JsonValue.Create(double.NaN));
            case ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF":
                return new(YamlScalarType.Float, JsonValue.Create(double.PositiveInfinity));
            case "-.inf" or "-.Inf" or "-.INF":
                return new(YamlScalarType.Float, JsonValue.Create(double.NegativeInfinity));
            case "<<":
                return new(YamlScalarType.Merge, JsonValue.Create(text));
        }

        if (char.IsAsciiDigit(text[0]) || text[0] is '+' or '-' or '.')
        {
            if (IsTimestamp(text))
            {
                return new(YamlScalarType.Timestamp, JsonValue.Create(text));
            }

            if (ToNumber(text) is { } number)
            {
                return number;
            }
        }

        return new(YamlScalarType.String, JsonValue.Create(text));
    }

    private static YamlScalar? ToNumber(string text)
    {
        // Underscores may stand between digits, but not in what begins with a point.
        string plain = text[0] == '.' ? text : text.Replace("_", string.Empty, StringComparison.Ordinal);
        if (ToInteger(plain) is { } integer)
        {
            return new(YamlScalarType.Integer, integer);
        }

        // One that is too large for a float stays text.
        return Float().IsMatch(plain) && double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? new(YamlScalarType.Float, JsonValue.Create(number))
            : null;
    }

    private static JsonValue? ToInteger(string plain)
    {
        Match match = Integer().Match(plain);
        if (!match.Success)
        {
            return null;
        }

        (string digits, int radix) = match.Groups switch
        {
            var g when g["hex"].Success => (g["hex"].Value, 16),
            var g when g["octal"].Success => (g["octal"].Value, 8),
            var g when g["binary"].Success => (g["binary"].Value, 2),
            var g => (g["decimal"].Value, 10),
        };
        UInt128 magnitude = 0;
        foreach (char digit in digits)
        {
            magnitude = (magnitude * (uint)radix) + (uint)Convert.ToInt32(digit.ToString(), 16);
            if (magnitude > ulong.MaxValue)
            {
                return null;
            }
        }

        if (plain[0] != '-')
        {
            // Only 64-bit integers with a sign are integers to Kubernetes.
            return magnitude <= long.MaxValue ? JsonValue.Create((long)magnitude) : plain[0] == '+' ? null : JsonValue.Create((double)magnitude);
        }

        return magnitude <= (UInt128)long.MaxValue + 1 ? JsonValue.Create((long)-(Int128)magnitude) : null;
    }

    private static bool IsTimestamp(string text)
    {
        Match match = Timestamp().Match(text);
        return match.Success
            && Number("month") is >= 1 and <= 12
            && Number("year") >= 1
            && Number("day") >= 1
            && Number("day") <= DateTime.DaysInMonth(Number("year"), Number("month"))
            && Number("hour") < 24
            && Number("minute") < 60
            && Number("second") < 60;

        int Number(string group) => match.Groups[group] is { Success: true } g ? int.Parse(g.Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"\A[-+]?(?:0[xX](?<hex>[0-9a-fA-F]+)|0[bB](?<binary>[01]+)|0[oO]?(?<octal>[0-7]+)|(?<decimal>0|[1-9][0-9]*))\z", RegexOptions.CultureInvariant)]
    private static partial Regex Integer();

    [GeneratedRegex(@"\A[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Float();

    [GeneratedRegex(
        @"\A(?<year>[0-9]{4})-(?<month>[0-9]{1,2})-(?<day>[0-9]{1,2})"
            + @"(?:[Tt](?<hour>[0-9]{1,2}):(?<minute>[0-9]{1,2}):(?<second>[0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})"
            + @"| (?<hour>[0-9]{1,2}):(?<minute>[0-9]{1,2}):(?<second>[0-9]{1,2})(?:[.,][0-9]+)?)?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Timestamp();
}
