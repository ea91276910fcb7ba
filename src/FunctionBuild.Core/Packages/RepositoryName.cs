using System.Text.RegularExpressions;

namespace FunctionBuild.Core.Packages;

/// <summary>Names of repositories, by the grammar of the distribution project's references, without tag or digest.</summary>
public static partial class RepositoryName
{
    private const int MaximumLength = 255;

    /// <summary>Makes sure that a repository's name can be published to.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidRepository</c>.</exception>
    public static void Check(string repository)
    {
        if (repository.Length > MaximumLength || !Grammar().IsMatch(repository))
        {
            throw new FunctionBuildException(
                "InvalidRepository",
                FaultKind.InvalidArgument,
                $"'{repository}' is not a repository: expected [host[:port]/]path, the path in lower case with '.', '_', '-' inside its parts, without tag or digest, at most {MaximumLength} characters.",
                repository);
        }
    }

    [GeneratedRegex(@"\A(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Grammar();
}
