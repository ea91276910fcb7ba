namespace FunctionBuild.Shell;

/// <summary>Sizes for people, in decimal units: bytes, kB, MB, GB.</summary>
public static class ByteSize
{
    /// <summary>A size as text, such as <c>71.6 MB</c>.</summary>
    public static string Format(long bytes) => bytes switch
    {
        < 1_000 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };
}
