using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>What a registry wants to be shown (RFC 9110, "WWW-Authenticate").</summary>
/// <param name="IsBearer">A token of a token service; a user name and a password otherwise.</param>
/// <param name="Realm">The address of the token service.</param>
/// <param name="Service">The registry's name at the token service; null when it has none.</param>
/// <param name="Scopes">The scopes that the refused request needs.</param>
internal sealed partial record AuthChallenge(bool IsBearer, string Realm, string? Service, IReadOnlyList<string> Scopes)
{
    /// <summary>The challenge to answer: a bearer token when there is a choice; null when there is none that is understood.</summary>
    public static AuthChallenge? Choose(IEnumerable<AuthenticationHeaderValue> headers)
    {
        List<AuthenticationHeaderValue> offered = [.. headers];
        AuthenticationHeaderValue? chosen = offered.Find(h => Is(h, "Bearer")) ?? offered.Find(h => Is(h, "Basic"));
        if (chosen is null)
        {
            return null;
        }

        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match match in Parameter().Matches(chosen.Parameter ?? string.Empty))
        {
            parameters.TryAdd(match.Groups["name"].Value, match.Groups["quoted"] is { Success: true } quoted ? Escape().Replace(quoted.Value, "$1") : match.Groups["plain"].Value);
        }

        return new AuthChallenge(
            Is(chosen, "Bearer"),
            parameters.GetValueOrDefault("realm") ?? string.Empty,
            parameters.GetValueOrDefault("service"),
            parameters.GetValueOrDefault("scope")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? []);
    }

    private static bool Is(AuthenticationHeaderValue header, string scheme) => header.Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("""(?<name>[A-Za-z0-9_-]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^\s,"]+))""", RegexOptions.CultureInvariant)]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\\(.)", RegexOptions.CultureInvariant)]
    private static partial Regex Escape();
}
