using System.Collections.Concurrent;
using System.Net.Http.Headers;

namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>
/// Knows what to show a registry. A token is asked for once, however many requests wait for it, and again before it
/// expires.
/// </summary>
internal sealed class Authenticator(string registry, RegistryOptions options, HttpExchange exchange) : IDisposable
{
    private readonly CredentialLookup _credentials = new(registry, options, exchange.Secrets);
    private readonly TokenService _tokens = new(registry, options, exchange);
    private readonly ConcurrentDictionary<AccessScope, TokenSlot> _slots = new();
    private volatile AuthChallenge? _challenge;

    /// <summary>What to show with a request; null when the registry wants nothing, or there is nothing to show.</summary>
    public async Task<AuthenticationHeaderValue?> GetAsync(AccessScope scope, CancellationToken cancellation)
    {
        if (_challenge is not { } challenge)
        {
            return null;
        }

        return challenge.IsBearer
            ? await GetTokenAsync(challenge, scope, null, cancellation).ConfigureAwait(false)
            : await GetBasicAsync(scope, cancellation).ConfigureAwait(false);
    }

    /// <summary>Learns what the registry wants from its answer to a first request.</summary>
    public void Learn(RegistryAnswer answer) => _challenge = AuthChallenge.Choose(answer.Headers.WwwAuthenticate) ?? _challenge;

    /// <summary>What to show after a refusal; null when there is nothing better than what was shown.</summary>
    /// <param name="scope">What the request does.</param>
    /// <param name="shown">What was shown and refused.</param>
    /// <param name="refusal">The answer.</param>
    /// <param name="cancellation">Stops at once.</param>
    public async Task<AuthenticationHeaderValue?> RenewAsync(AccessScope scope, AuthenticationHeaderValue? shown, RegistryAnswer refusal, CancellationToken cancellation)
    {
        Learn(refusal);
        if (_challenge is not { } challenge)
        {
            return null;
        }

        if (!challenge.IsBearer)
        {
            return shown is null ? await GetBasicAsync(scope, cancellation).ConfigureAwait(false) : null;
        }

        TokenSlot slot = SlotOf(scope);
        if (AuthChallenge.Choose(refusal.Headers.WwwAuthenticate) is { Scopes.Count: > 0 } asked)
        {
            slot.Scopes = [.. asked.Scopes.Union(slot.Scopes)];
        }

        return await GetTokenAsync(challenge, scope, shown?.Parameter, cancellation).ConfigureAwait(false);
    }

    /// <summary>Why a request was refused for want of credentials.</summary>
    public async Task<string> ExplainAsync(AccessScope scope, CancellationToken cancellation) =>
        await _credentials.FindAsync(scope.Repository, cancellation).ConfigureAwait(false) is { } credential
            ? $"Shown: {credential}."
            : $"No credentials were found; {_credentials.Places}.";

    /// <inheritdoc/>
    public void Dispose()
    {
        _credentials.Dispose();
        foreach (TokenSlot slot in _slots.Values)
        {
            slot.Dispose();
        }
    }

    private async Task<AuthenticationHeaderValue?> GetBasicAsync(AccessScope scope, CancellationToken cancellation)
    {
        RegistryCredential? credential = await _credentials.FindAsync(scope.Repository, cancellation).ConfigureAwait(false);
        return credential switch
        {
            null => null,
            { IsIdentityToken: true } => throw new RegistryException("RegistryUnauthorized", FaultKind.Authentication, $"{registry} wants a user name and a password, but an identity token is what was found. Log in with a user name, or give -Credential.", registry),
            _ => new AuthenticationHeaderValue("Basic", credential.BasicParameter),
        };
    }

    private async Task<AuthenticationHeaderValue> GetTokenAsync(AuthChallenge challenge, AccessScope scope, string? refused, CancellationToken cancellation)
    {
        TokenSlot slot = SlotOf(scope);
        await slot.Gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (slot.Failure is { } failure)
            {
                throw failure;
            }

            if (slot.Token is not { } token || token.Text == refused || options.Clock.GetUtcNow() >= token.RefreshAt)
            {
                RegistryCredential? credential = await _credentials.FindAsync(scope.Repository, cancellation).ConfigureAwait(false);
                token = await _tokens.GetAsync(challenge, slot.Scopes, credential, cancellation).ConfigureAwait(false);
                slot.Token = token;
            }

            return new AuthenticationHeaderValue("Bearer", token.Text);
        }
        catch (RegistryException e) when (!e.IsTransient)
        {
            // The others that wait would be refused too.
            slot.Failure = e;
            throw;
        }
        finally
        {
            slot.Gate.Release();
        }
    }

    private TokenSlot SlotOf(AccessScope scope) => _slots.GetOrAdd(scope, s => new TokenSlot(s.ToScopes()));

    /// <summary>The token for one scope, and the gate before it.</summary>
    private sealed class TokenSlot(IReadOnlyList<string> scopes) : IDisposable
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public IReadOnlyList<string> Scopes { get; set; } = scopes;

        public AccessToken? Token { get; set; }

        public RegistryException? Failure { get; set; }

        public void Dispose() => Gate.Dispose();
    }
}
