using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>
/// Gets access tokens from the token service that a registry names: by GET with a user's name and password or with
/// neither, by POST with an identity token.
/// </summary>
internal sealed class TokenService(string registry, RegistryOptions options, HttpExchange exchange)
{
    // What the distribution project's specification says of an answer that does not tell.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(30);

    /// <summary>Gets a token.</summary>
    /// <exception cref="RegistryException">ErrorId <c>RegistryUnauthorized</c>, <c>RegistryMalformedAnswer</c>, or as for any request.</exception>
    public async Task<AccessToken> GetAsync(AuthChallenge challenge, IReadOnlyList<string> scopes, RegistryCredential? credential, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(challenge.Realm, UriKind.Absolute, out Uri? realm))
        {
            throw RegistryErrors.Malformed(registry, "a request", $"its challenge names the token service '{RegistryErrors.Printable(challenge.Realm)}', which is not an address");
        }

        RegistryRequest request = credential is { IsIdentityToken: true } ? Exchange(realm, challenge, scopes, credential) : Ask(realm, challenge, scopes, credential);
        AuthenticationHeaderValue? authorization = credential is { IsIdentityToken: false } ? new AuthenticationHeaderValue("Basic", credential.BasicParameter) : null;
        DateTimeOffset asked = options.Clock.GetUtcNow();
        RegistryAnswer answer = await exchange.SendAsync(request, authorization, realm, cancellation).ConfigureAwait(false);
        if (answer.Status != HttpStatusCode.OK)
        {
            throw RegistryErrors.OfAnswer(realm.Authority, $"{request.What} ({credential?.ToString() ?? "anonymous"})", answer, options.MaximumRetryDelay, exchange.Secrets);
        }

        options.Report?.Invoke($"{registry}: a token of {realm.Authority} for {(scopes.Count == 0 ? "the registry" : string.Join(' ', scopes))}, {credential?.ToString() ?? "anonymous"}.");
        return Read(answer, asked);
    }

    private static RegistryRequest Ask(Uri realm, AuthChallenge challenge, IReadOnlyList<string> scopes, RegistryCredential? credential)
    {
        IEnumerable<(string Name, string Value)> parameters = scopes.Select(s => ("scope", s));
        if (challenge.Service is { } service)
        {
            parameters = parameters.Prepend(("service", service));
        }

        if (credential is not null)
        {
            parameters = parameters.Append(("account", credential.UserName));
        }

        return new RegistryRequest(HttpMethod.Get, realm.WithQuery(parameters), "a request for a token");
    }

    private static RegistryRequest Exchange(Uri realm, AuthChallenge challenge, IReadOnlyList<string> scopes, RegistryCredential credential) =>
        new(HttpMethod.Post, realm, "a request for a token")
        {
            Content = _ => new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["refresh_token"] = credential.Secret,
                ["service"] = challenge.Service ?? string.Empty,
                ["client_id"] = "functionbuild",
                ["scope"] = string.Join(' ', scopes),
            }),
        };

    private AccessToken Read(RegistryAnswer answer, DateTimeOffset asked)
    {
        try
        {
            using JsonDocument document = OciJson.ParseObject(answer.Body);
            string text = OciJson.OptionalString(document.RootElement, "token") ?? OciJson.RequiredString(document.RootElement, "access_token");
            exchange.Secrets.Add(text);
            TimeSpan lifetime = document.RootElement.TryGetProperty("expires_in", out JsonElement seconds) && seconds.ValueKind == JsonValueKind.Number && seconds.GetDouble() is > 0 and < int.MaxValue
                ? TimeSpan.FromSeconds(seconds.GetDouble())
                : DefaultLifetime;
            TimeSpan margin = lifetime / 4 < LongestMargin ? lifetime / 4 : LongestMargin;
            return new AccessToken(text, asked + lifetime - margin);
        }
        catch (FormatException)
        {
            // Not even as a cause: the answer may hold a secret.
            throw RegistryErrors.Malformed(answer.Uri.Authority, "a request for a token", "it is not JSON with a 'token'");
        }
    }
}
