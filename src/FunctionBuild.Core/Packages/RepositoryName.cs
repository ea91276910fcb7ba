using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Packages;

/// <summary>Names of repositories, by the grammar of the distribution project's references, without tag or digest.</summary>
public static class RepositoryName
{
    /// <summary>Makes sure that a repository's name can be published to.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidRepository</c>.</exception>
    public static void Check(string repository)
    {
        ArgumentNullException.ThrowIfNull(repository);
        if (ReferenceGrammar.FindRepositoryProblem(repository) is { } problem)
        {
            throw new FunctionBuildException(
                "InvalidRepository",
                FaultKind.InvalidArgument,
                $"'{repository}' is not a repository: {problem}. Expected [host[:port]/]path, without tag or digest.",
                repository);
        }
    }
}
