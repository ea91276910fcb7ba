namespace FunctionBuild.Core.Tarballs;

/// <summary>How a tarball is imported.</summary>
public sealed record ImportOptions
{
    /// <summary>The default of <see cref="MaximumExpandedSize"/>: 8 GiB.</summary>
    public const long DefaultMaximumExpandedSize = 8L * 1024 * 1024 * 1024;

    /// <summary>The function's name; taken from the file's name when null.</summary>
    public string? Name { get; init; }

    /// <summary>The architecture that the tarball was asked for; any when null.</summary>
    public string? Architecture { get; init; }

    /// <summary>What one tarball may decompress to, in bytes.</summary>
    public long MaximumExpandedSize { get; init; } = DefaultMaximumExpandedSize;

    /// <summary>Told what is decided, in sentences, from several threads. It must not wait for anything. May be null.</summary>
    public Action<string>? Report { get; init; }
}
