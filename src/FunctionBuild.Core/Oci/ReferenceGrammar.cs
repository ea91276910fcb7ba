using System.Globalization;
using System.Text.RegularExpressions;

namespace FunctionBuild.Core.Oci;

/// <summary>
/// The grammar of the distribution project's references: <c>[host[:port]/]path[:tag][@digest]</c>. What is wrong is
/// told in words that complete "... is not a reference:".
/// </summary>
internal static partial class ReferenceGrammar
{
    /// <summary>The most characters of host and path together that registries and clients are sure to take.</summary>
    public const int MaximumNameLength = 255;

    private const int MaximumTagLength = 128;
    private const int MaximumPort = 65535;

    /// <summary>
    /// Splits a name into host and path. The first part is a host when it has a dot, a colon or an upper-case letter, or
    /// is <c>localhost</c>: no path of the default registry looks like that.
    /// </summary>
    public static (string? Host, string Path) Split(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? string.Empty : name[..slash];
        return first == "localhost" || first.Any(c => c is '.' or ':' or '[' || char.IsAsciiLetterUpper(c))
            ? (first, name[(slash + 1)..])
            : (null, name);
    }

    /// <summary>What is wrong with a name, that is host and path; null when nothing is.</summary>
    public static string? FindNameProblem(string name)
    {
        if (name.Length == 0)
        {
            return "it is empty";
        }

        if (name.Contains("://", StringComparison.Ordinal))
        {
            return "it begins with a scheme; name the host alone";
        }

        if (name.Length > MaximumNameLength)
        {
            return $"it has {name.Length} characters, and {MaximumNameLength} are the most";
        }

        (string? host, string path) = Split(name);
        return (host is null ? null : FindHostProblem(host)) ?? path.Split('/').Select(FindPartProblem).FirstOrDefault(p => p is not null);
    }

    /// <summary>What is wrong with a name that stands alone; null when nothing is.</summary>
    public static string? FindRepositoryProblem(string name)
    {
        int at = name.IndexOf('@', StringComparison.Ordinal);
        int slash = name.LastIndexOf('/');
        int colon = name.LastIndexOf(':');
        return at > slash ? $"it names the digest '{name[(at + 1)..]}'"
            : colon <= slash ? FindNameProblem(name)
            : slash < 0 ? "it is a host without a path, or names a tag"
            : FindNameProblem(name[..colon]) ?? $"it names the tag '{name[(colon + 1)..]}'";
    }

    /// <summary>What is wrong with a tag; null when nothing is.</summary>
    public static string? FindTagProblem(string tag)
    {
        if (tag.Length == 0)
        {
            return "its tag is empty";
        }

        if (tag.Length > MaximumTagLength)
        {
            return $"its tag has {tag.Length} characters, and {MaximumTagLength} are the most";
        }

        return Tag().IsMatch(tag)
            ? null
            : $"its tag '{tag}' is not made of letters, digits, '_', '.' and '-', the first of them not '.' or '-'";
    }

    private static string? FindHostProblem(string host)
    {
        Match match = Host().Match(host);
        if (!match.Success || Uri.CheckHostName(match.Groups["name"].Value) == UriHostNameType.Unknown)
        {
            return $"'{host}' is not a host name or address with an optional port";
        }

        return match.Groups["port"] is { Success: true } port
            && !(int.TryParse(port.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= MaximumPort)
            ? $"{port.Value} is not a port; ports are 1 to {MaximumPort}"
            : null;
    }

    private static string? FindPartProblem(string part)
    {
        if (part.Length == 0)
        {
            return "a part of its path is empty";
        }

        if (part.Any(char.IsAsciiLetterUpper))
        {
            return $"'{part}' has upper-case letters, and the path must be in lower case";
        }

        return Part().IsMatch(part)
            ? null
            : $"'{part}' is not made of lower-case letters and digits with single '.', one or two '_', or '-' between them";
    }

    [GeneratedRegex(@"\A(?:(?<name>[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)|\[(?<name>[0-9a-fA-F:]+)\])(?::(?<port>[0-9]+))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Host();

    [GeneratedRegex(@"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Part();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Tag();
}
