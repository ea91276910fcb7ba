namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>Where the files with credentials are, as environment variables and the home folder tell.</summary>
/// <param name="Variable">The value of an environment variable; null when it is not set.</param>
/// <param name="Home">The user's home folder.</param>
internal sealed record CredentialEnvironment(Func<string, string?> Variable, string Home)
{
    /// <summary>The environment of this process.</summary>
    public static CredentialEnvironment OfProcess { get; } =
        new(Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    /// <summary>The folder to which relative paths in variables refer; the process's own when null.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>
    /// The files in the order in which they are looked into: what <c>REGISTRY_AUTH_FILE</c> names, podman's, Docker's.
    /// One that a variable names must exist.
    /// </summary>
    public IEnumerable<(string Path, bool MustExist)> Files() => Places().Select(f => (Full(f.Path), f.MustExist));

    /// <summary>The path that one in a variable means.</summary>
    public string Full(string path) => Path.GetFullPath(path, WorkingDirectory ?? Environment.CurrentDirectory);

    private IEnumerable<(string Path, bool MustExist)> Places()
    {
        if (Set("REGISTRY_AUTH_FILE") is { } named)
        {
            yield return (named, true);
        }

        const string PodmanFolder = "containers";
        const string PodmanFile = "auth.json";
        if (Set("XDG_RUNTIME_DIR") is { } runtime)
        {
            yield return (Path.Combine(runtime, PodmanFolder, PodmanFile), false);
        }

        yield return (Path.Combine(Set("XDG_CONFIG_HOME") ?? Path.Combine(Home, ".config"), PodmanFolder, PodmanFile), false);
        yield return (Path.Combine(Set("DOCKER_CONFIG") ?? Path.Combine(Home, ".docker"), "config.json"), false);
    }

    private string? Set(string variable) => Variable(variable) is { Length: > 0 } value ? value : null;
}
