namespace FunctionBuild.Core.Packages;

/// <summary>Package metadata that break the rules: file, line and field.</summary>
public sealed class MetadataException : FunctionBuildException
{
    /// <summary>Creates an error.</summary>
    /// <param name="file">The file; null when the metadata were given as arguments.</param>
    /// <param name="line">The line in the file, from 1; 0 when it is unknown.</param>
    /// <param name="field">The field, such as <c>spec.crossplane.version</c>; null when the error concerns the whole.</param>
    /// <param name="problem">What is wrong and what was expected.</param>
    /// <param name="innerException">The cause.</param>
    public MetadataException(string? file, int line, string? field, string problem, Exception? innerException = null)
        : base("MetadataInvalid", FaultKind.InvalidData, Format(file, line, field, problem), file, innerException)
    {
        File = file;
        Line = line;
        Field = field;
    }

    /// <summary>The file; null when the metadata were given as arguments.</summary>
    public string? File { get; }

    /// <summary>The line in the file, from 1; 0 when it is unknown.</summary>
    public int Line { get; }

    /// <summary>The field; null when the error concerns the whole.</summary>
    public string? Field { get; }

    private static string Format(string? file, int line, string? field, string problem)
    {
        string place = file is null ? "Package metadata" : line > 0 ? $"'{file}', line {line}" : $"'{file}'";
        return field is null ? $"{place}: {problem}" : $"{place}, field '{field}': {problem}";
    }
}
