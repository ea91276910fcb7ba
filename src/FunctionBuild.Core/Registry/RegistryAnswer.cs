using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>What a registry answered.</summary>
/// <param name="Status">The status.</param>
/// <param name="Uri">Where the answer came from.</param>
/// <param name="Headers">The headers.</param>
/// <param name="ContentLength">The length that the headers tell; null when they do not.</param>
/// <param name="Body">The body, cut where it is longer than any error or token.</param>
internal sealed record RegistryAnswer(HttpStatusCode Status, Uri Uri, HttpResponseHeaders Headers, long? ContentLength, byte[] Body)
{
    /// <summary>The target of a redirect, or the place of an upload, made absolute; null when none is told.</summary>
    public Uri? Location => Headers.Location is { } location ? new Uri(Uri, location) : null;

    /// <summary>How long to wait before asking again; null when not told.</summary>
    public TimeSpan? RetryAfter => Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - DateTimeOffset.UtcNow is { Ticks: > 0 } wait ? wait : TimeSpan.Zero,
        _ => null,
    };

    /// <summary>The content of a header that is not split at commas; null when it is missing.</summary>
    public string? Header(string name) => Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(',', values) : null;

    /// <summary>The digest that the registry tells; null when it tells none, or one by another algorithm.</summary>
    public string? ContentDigest => Header("Docker-Content-Digest") is { } told && told.StartsWith(Digest.Prefix, StringComparison.Ordinal) ? told : null;

    /// <summary>
    /// How many bytes of an upload the registry has, by its <c>Range</c> header, <c>[bytes=]0-last</c>; null when it does
    /// not tell. No byte and one byte are told alike, as <c>0-0</c>, and taken for none.
    /// </summary>
    public long? ReceivedBytes
    {
        get
        {
            string? range = Header("Range");
            int dash = range?.IndexOf('-', StringComparison.Ordinal) ?? -1;
            return dash >= 0 && long.TryParse(range.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long last)
                ? last == 0 ? 0 : last + 1
                : null;
        }
    }
}
