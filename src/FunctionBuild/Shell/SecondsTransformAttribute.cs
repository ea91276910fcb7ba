using System.Globalization;
using System.Management.Automation;

namespace FunctionBuild.Shell;

/// <summary>Lets a duration be given in seconds; the shell would take a number for ticks, of which a second has ten million.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SecondsTransformAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? plain = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        double? seconds = plain switch
        {
            string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
            sbyte or byte or short or ushort or int or uint or long or ulong or float or double or decimal => Convert.ToDouble(plain, CultureInfo.InvariantCulture),
            _ => null,
        };
        try
        {
            return seconds is { } value ? TimeSpan.FromSeconds(value) : inputData;
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new ArgumentTransformationMetadataException($"'{plain}' seconds is no duration.", e);
        }
    }
}
