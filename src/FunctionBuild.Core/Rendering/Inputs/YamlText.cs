using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>Single values as YAML text without quotes, as Go writes them.</summary>
internal static class YamlText
{
    // Beyond these Go writes an exponent.
    private const int FirstPlainExponent = -4;
    private const int LastPlainExponent = 5;

    /// <summary>A key that is written as a number or a boolean, as the string that JSON needs.</summary>
    public static string OfKey(JsonValue key) => key.GetValueKind() switch
    {
        JsonValueKind.String => key.GetValue<string>(),
        _ => Of(key),
    };

    /// <summary>A number or a boolean.</summary>
    public static string Of(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => OfNumber(value),
    };

    private static string OfNumber(JsonValue value)
    {
        string json = value.ToJsonString();
        if (long.TryParse(json, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer))
        {
            return integer.ToString(CultureInfo.InvariantCulture);
        }

        return Format(double.Parse(json, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    private static string Format(double number)
    {
        (string digits, int exponent) = Split(Math.Abs(number).ToString("R", CultureInfo.InvariantCulture));
        if (digits.Length == 0)
        {
            return "0";
        }

        string sign = number < 0 ? "-" : string.Empty;
        if (number == Math.Truncate(number) && number is > long.MinValue and < ulong.MaxValue)
        {
            return sign + digits.PadRight(exponent + 1, '0');
        }

        if (exponent is < FirstPlainExponent or > LastPlainExponent)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : string.Empty;
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    // The significant digits of the shortest form, and the power of ten of the first: 12.5 is 125 and 1.
    private static (string Digits, int Exponent) Split(string shortest)
    {
        string[] parts = shortest.Split('E');
        string[] mantissa = parts[0].Split('.');
        string all = string.Concat(mantissa);
        int exponent = mantissa[0].Length - 1 - (all.Length - all.TrimStart('0').Length);
        if (parts.Length > 1)
        {
            exponent += int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        }

        return (all.Trim('0'), exponent);
    }
}
