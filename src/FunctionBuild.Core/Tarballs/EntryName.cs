namespace FunctionBuild.Core.Tarballs;

/// <summary>
/// Names of entries in a tarball. They never become names of files; all the same, a name that would lead out of the
/// archive is a sign of an archive that must not be trusted.
/// </summary>
internal static class EntryName
{
    /// <summary>The name without <c>./</c> and doubled slashes; null when it is absolute, climbs, or holds a NUL.</summary>
    public static string? Normalise(string name)
    {
        bool drive = name.Length > 2 && char.IsAsciiLetter(name[0]) && name[1] == ':' && name[2] is '/' or '\\';
        if (name.StartsWith('/') || name.StartsWith('\\') || drive || name.Contains('\0'))
        {
            return null;
        }

        string[] parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Any(p => p == ".." || p.StartsWith(@"..\", StringComparison.Ordinal) || p.Contains(@"\..", StringComparison.Ordinal))
            ? null
            : string.Join('/', parts.Where(p => p != "."));
    }

    /// <summary>Where a symbolic link points, from the root of the archive; null when that is outside.</summary>
    public static string? Resolve(string link, string target)
    {
        if (target.StartsWith('/') || target.Contains('\0'))
        {
            return null;
        }

        var parts = new List<string>(link.Split('/')[..^1]);
        foreach (string part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                if (parts.Count == 0)
                {
                    return null;
                }

                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }
}
