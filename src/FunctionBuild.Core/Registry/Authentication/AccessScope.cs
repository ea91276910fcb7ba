namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>What a request does, in the terms of the distribution project's token scopes.</summary>
/// <param name="Repository">The repository that is written; empty for the registry as a whole.</param>
/// <param name="MountFrom">The repository that a blob is mounted from; null for none.</param>
internal readonly record struct AccessScope(string Repository, string? MountFrom = null)
{
    /// <summary>The registry as a whole.</summary>
    public static AccessScope None { get; } = new(string.Empty);

    /// <summary>The scopes that a token must have.</summary>
    public IReadOnlyList<string> ToScopes() => (Repository, MountFrom) switch
    {
        ("", _) => [],
        (_, null) => [$"repository:{Repository}:pull,push"],
        _ => [$"repository:{Repository}:pull,push", $"repository:{MountFrom}:pull"],
    };
}
