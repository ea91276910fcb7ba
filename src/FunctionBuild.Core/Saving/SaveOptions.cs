namespace FunctionBuild.Core.Saving;

/// <summary>Where and how function images are written.</summary>
public sealed record SaveOptions
{
    /// <summary>The file or, for an OCI layout, the folder.</summary>
    public required string Path { get; init; }

    /// <summary>The format; told by the path's extension when null.</summary>
    public SaveFormat? Format { get; init; }

    /// <summary>Whether what stands at the path is replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Whether missing parent folders are created.</summary>
    public bool CreateDirectory { get; init; }
}
