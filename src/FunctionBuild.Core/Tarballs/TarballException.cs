namespace FunctionBuild.Core.Tarballs;

/// <summary>A tarball that cannot be imported: which file, which entry in it, what was expected.</summary>
public sealed class TarballException : FunctionBuildException
{
    /// <summary>Creates an error.</summary>
    /// <param name="errorId">A stable id for scripts.</param>
    /// <param name="path">The tarball.</param>
    /// <param name="entry">The entry in it; null when the error concerns the whole.</param>
    /// <param name="problem">What is wrong and what to do.</param>
    /// <param name="kind">The kind of fault.</param>
    /// <param name="innerException">The cause.</param>
    public TarballException(string errorId, string path, string? entry, string problem, FaultKind kind = FaultKind.InvalidData, Exception? innerException = null)
        : base(errorId, kind, entry is null ? $"'{path}': {problem}" : $"'{path}', entry '{entry}': {problem}", path, innerException)
    {
        Path = path;
        Entry = entry;
    }

    /// <summary>The tarball.</summary>
    public string Path { get; }

    /// <summary>The entry in the tarball; null when the error concerns the whole.</summary>
    public string? Entry { get; }
}
