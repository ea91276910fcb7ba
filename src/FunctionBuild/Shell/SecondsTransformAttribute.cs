using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace FunctionBuild.Shell;

/// <summary>
/// Lets a duration be given in seconds, or in hours, minutes, seconds and milliseconds, such as <c>1m30s</c>; the shell would take a
/// number for ticks, of which a second has ten million.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed partial class SecondsTransformAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? plain = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        double? seconds = plain switch
        {
            string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
            string text when Duration().Match(text) is { Success: true } parts => (3600 * Part(parts, "hours")) + (60 * Part(parts, "minutes")) + Part(parts, "seconds") + (Part(parts, "milliseconds") / 1000),
            sbyte or byte or short or ushort or int or uint or long or ulong or float or double or decimal => Convert.ToDouble(plain, CultureInfo.InvariantCulture),
            _ => null,
        };
        try
        {
            return seconds is { } value ? TimeSpan.FromSeconds(value) : inputData;
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new ArgumentTransformationMetadataException($"'{plain}' is no duration that can be used.", e);
        }
    }

    private static double Part(Match duration, string name) =>
        duration.Groups[name] is { Success: true } part ? double.Parse(part.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(
        @"\A(?=.)(?:(?<hours>[0-9]+(?:\.[0-9]+)?)h)?(?:(?<minutes>[0-9]+(?:\.[0-9]+)?)m(?!s))?(?:(?<seconds>[0-9]+(?:\.[0-9]+)?)s)?(?:(?<milliseconds>[0-9]+(?:\.[0-9]+)?)ms)?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Duration();
}
