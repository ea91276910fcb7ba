namespace FunctionBuild.Core.Tarballs;

/// <summary>
/// Names of entries in a tarball. They never become names of files; all the same, a name that would lead out of the
/// archive is a sign of an archive that must not be trusted.
/// </summary>
internal static class EntryName
{
    /// <summary>The longest name accepted, in characters; image tarballs have names of a hundred.</summary>
    public const int MaximumLength = 1024;

    /// <summary>The name without <c>./</c> and doubled slashes; null when it is absolute, climbs, or holds a NUL.</summary>
    public static string? Normalise(string name)
    {
        if (IsAbsolute(name))
        {
            return null;
        }

        string[] parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Any(p => p == ".." || Climbs(p)) ? null : string.Join('/', parts.Where(p => p != "."));
    }

    /// <summary>Where a symbolic link points, from the root of the archive; null when that is outside.</summary>
    public static string? Resolve(string link, string target)
    {
        if (IsAbsolute(target))
        {
            return null;
        }

        var parts = new List<string>(link.Split('/')[..^1]);
        foreach (string part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Climbs(part) || (part == ".." && parts.Count == 0))
            {
                return null;
            }

            if (part == "..")
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    private static bool IsAbsolute(string name)
    {
        bool drive = name.Length > 2 && char.IsAsciiLetter(name[0]) && name[1] == ':' && name[2] is '/' or '\\';
        return drive || name.StartsWith('/') || name.StartsWith('\\') || name.Contains('\0');
    }

    // Windows also takes backslashes for separators.
    private static bool Climbs(string part) => part.StartsWith(@"..\", StringComparison.Ordinal) || part.Contains(@"\..", StringComparison.Ordinal);
}
