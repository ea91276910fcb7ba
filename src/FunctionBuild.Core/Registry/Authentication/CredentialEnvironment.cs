namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>Where the files with credentials are, as environment variables and the home folder tell.</summary>
/// <param name="Variable">The value of an environment variable; null when it is not set.</param>
/// <param name="Home">The user's home folder.</param>
internal sealed record CredentialEnvironment(Func<string, string?> Variable, string Home)
{
    /// <summary>The environment of this process.</summary>
    public static CredentialEnvironment OfProcess { get; } =
        new(Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    /// <summary>
    /// The files in the order in which they are looked into: what <c>REGISTRY_AUTH_FILE</c> names, podman's, Docker's.
    /// One that a variable names must exist.
    /// </summary>
    /// <param name="workingDirectory">The folder to which relative paths refer; the process's own when null.</param>
    public IEnumerable<(string Path, bool MustExist)> Files(string? workingDirectory) =>
        Files().Select(f => (Path.GetFullPath(f.Path, workingDirectory ?? Environment.CurrentDirectory), f.MustExist));

    private IEnumerable<(string Path, bool MustExist)> Files()
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
