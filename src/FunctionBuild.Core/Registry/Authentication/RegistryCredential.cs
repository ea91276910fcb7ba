using System.Text;

namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>Who asks: a user name with a password, or an identity token. Never prints its secret.</summary>
public sealed class RegistryCredential
{
    private RegistryCredential(string userName, string secret, bool isIdentityToken)
    {
        UserName = userName;
        Secret = secret;
        IsIdentityToken = isIdentityToken;
    }

    /// <summary>The user's name; empty with an identity token.</summary>
    public string UserName { get; }

    /// <summary>Whether this is an identity token, with which a token service gives access tokens (OAuth 2, "refresh_token").</summary>
    public bool IsIdentityToken { get; }

    /// <summary>The password, or the identity token.</summary>
    internal string Secret { get; }

    /// <summary>The content of a Basic authorization header.</summary>
    internal string BasicParameter => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{UserName}:{Secret}"));

    /// <summary>A user name and a password.</summary>
    public static RegistryCredential ForUser(string userName, string password) => new(userName, password, false);

    /// <summary>An identity token.</summary>
    public static RegistryCredential ForIdentityToken(string token) => new(string.Empty, token, true);

    /// <summary>The user's name.</summary>
    public override string ToString() => IsIdentityToken ? "identity token" : $"user '{UserName}'";
}
