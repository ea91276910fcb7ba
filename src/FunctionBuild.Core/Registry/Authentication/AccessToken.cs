namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>A token of a token service.</summary>
/// <param name="Text">The token.</param>
/// <param name="RefreshAt">When to ask for a new one, a while before this one expires.</param>
internal sealed record AccessToken(string Text, DateTimeOffset RefreshAt);
