namespace FunctionBuild.Core.Packages;

/// <summary>
/// Where a function is published and what its package is called, as the reference names the functions of a project:
/// <c>&lt;repository&gt;_&lt;function&gt;</c> and <c>&lt;project&gt;-&lt;function&gt;</c>. A repository whose last part is the
/// function's name is the function's own.
/// </summary>
public static class FunctionNaming
{
    private const string OwnPrefix = "function-";

    /// <summary>The repository of a function.</summary>
    /// <param name="repository">The function's own repository, or that of the project to which it belongs.</param>
    /// <param name="function">The function's name.</param>
    public static string RepositoryOf(string repository, string function) =>
        IsOwn(repository, function) ? repository : $"{repository}_{function}";

    /// <summary>The name in the package's metadata: a DNS label if the two names allow it.</summary>
    /// <param name="repository">The function's own repository, or that of the project to which it belongs.</param>
    /// <param name="function">The function's name.</param>
    public static string PackageNameOf(string repository, string function)
    {
        string own = function.StartsWith(OwnPrefix, StringComparison.Ordinal) ? function : OwnPrefix + function;
        string name = IsOwn(repository, function) ? own : $"{LastPart(repository)}-{function}";
        return name.Replace('_', '-').Replace('.', '-');
    }

    private static bool IsOwn(string repository, string function) => LastPart(repository) == function;

    private static string LastPart(string repository)
    {
        ArgumentNullException.ThrowIfNull(repository);
        return repository[(repository.LastIndexOf('/') + 1)..];
    }
}
