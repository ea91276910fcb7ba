namespace FunctionBuild.Core.Saving;

/// <summary>How function images are written to disk.</summary>
public enum SaveFormat
{
    /// <summary>A Crossplane package file: a Docker archive with compressed layers.</summary>
    Xpkg,

    /// <summary>A folder in OCI image layout.</summary>
    OciLayout,

    /// <summary>A Docker archive, as <c>docker load</c> reads it; the same bytes as a package file.</summary>
    DockerArchive,
}
