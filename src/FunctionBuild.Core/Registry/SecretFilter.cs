using System.Collections.Concurrent;

namespace FunctionBuild.Core.Registry;

/// <summary>Knows what must not be printed, and takes it out of text that comes from elsewhere.</summary>
internal sealed class SecretFilter
{
    private const string Hidden = "***";
    private readonly ConcurrentDictionary<string, bool> _secrets = new(StringComparer.Ordinal);

    public void Add(string secret)
    {
        if (secret.Length > 0)
        {
            _secrets[secret] = true;
        }
    }

    public string Clean(string text) =>
        _secrets.Keys.OrderByDescending(s => s.Length).Aggregate(text, (clean, secret) => clean.Replace(secret, Hidden, StringComparison.Ordinal));
}
