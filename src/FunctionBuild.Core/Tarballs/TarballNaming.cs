using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Tarballs;

/// <summary>The naming convention of function tarballs: <c>&lt;prefix&gt;-&lt;architecture&gt;.tar[.gz]</c>.</summary>
public static class TarballNaming
{
    /// <summary>Endings looked for, the first that exists wins: a plain tarball is not copied.</summary>
    public static IReadOnlyList<string> Endings { get; } = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2"];

    /// <summary>The function's name and the architecture that a file's name claims; the architecture is null when it claims none.</summary>
    public static (string Name, string? Architecture) Parse(string path)
    {
        string name = Path.GetFileName(path);
        string? ending = Endings.Where(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase)).MaxBy(e => e.Length);
        name = ending is null ? Path.GetFileNameWithoutExtension(name) : name[..^ending.Length];
        int dash = name.LastIndexOf('-');
        return dash > 0 && Platform.KnownArchitectures.Contains(name[(dash + 1)..])
            ? (name[..dash], name[(dash + 1)..])
            : (name, null);
    }

    /// <summary>The files that may hold a function's image for an architecture, in the order in which they are looked for.</summary>
    public static IReadOnlyList<string> Candidates(string prefix, string architecture) =>
        [.. Endings.Select(ending => $"{prefix}-{architecture}{ending}")];

    /// <summary>The first candidate that exists.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>TarballForArchitectureNotFound</c>; the message lists every name looked for.</exception>
    public static string Find(string prefix, string architecture)
    {
        IReadOnlyList<string> candidates = Candidates(prefix, architecture);
        return candidates.FirstOrDefault(Path.Exists) ?? throw new FunctionBuildException(
            "TarballForArchitectureNotFound",
            FaultKind.NotFound,
            $"No tarball for architecture '{architecture}' was found. Looked for: {string.Join(", ", candidates.Select(c => $"'{c}'"))}.",
            prefix);
    }
}
