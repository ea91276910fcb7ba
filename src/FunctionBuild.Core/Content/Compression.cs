namespace FunctionBuild.Core.Content;

/// <summary>How bytes are compressed.</summary>
public enum Compression
{
    /// <summary>Not compressed.</summary>
    None,

    /// <summary>gzip (RFC 1952), one member or several.</summary>
    Gzip,

    /// <summary>Zstandard (RFC 8878).</summary>
    Zstd,

    /// <summary>xz.</summary>
    Xz,

    /// <summary>bzip2.</summary>
    Bzip2,
}
