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

    /// <summary>The name of a function of which only repository and package are known; the package's name when the two are not named as above.</summary>
    /// <param name="repository">The function's repository.</param>
    /// <param name="package">The name in the package's metadata.</param>
    public static string NameOf(string repository, string package)
    {
        string last = LastPart(repository);
        for (int end = last.IndexOf('_', StringComparison.Ordinal); end > 0; end = last.IndexOf('_', end + 1))
        {
            if (PackageNameOf(last[..end], last[(end + 1)..]) == package)
            {
                return last[(end + 1)..];
            }
        }

        return PackageNameOf(last, last) == package ? last : package;
    }

    private static bool IsOwn(string repository, string function) => LastPart(repository) == function;

    private static string LastPart(string repository)
    {
        ArgumentNullException.ThrowIfNull(repository);
        return repository[(repository.LastIndexOf('/') + 1)..];
    }
}
