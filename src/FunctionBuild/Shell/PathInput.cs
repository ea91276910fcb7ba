using System.Management.Automation;
using FunctionBuild.Core;

namespace FunctionBuild.Shell;

/// <summary>Turns the paths that a user gives into full paths of the file system.</summary>
internal static class PathInput
{
    /// <summary>The files that a path with wildcards means, in ordinal order.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>PathNotFound</c> or <c>PathNotFileSystem</c>.</exception>
    public static IReadOnlyList<string> Expand(PSCmdlet cmdlet, string path)
    {
        ProviderInfo provider;
        IEnumerable<string> found;
        try
        {
            found = cmdlet.SessionState.Path.GetResolvedProviderPathFromPSPath(path, out provider);
        }
        catch (Exception e) when (e is ItemNotFoundException or System.Management.Automation.DriveNotFoundException or ProviderNotFoundException)
        {
            throw NotMatched(path, e);
        }

        CheckProvider(path, provider);
        List<string> files = [.. found];
        if (files.Count == 0)
        {
            throw NotMatched(path, null);
        }

        files.Sort(StringComparer.Ordinal);
        return files;
    }

    /// <summary>The full path that a path without wildcards means; it need not exist.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>PathNotFound</c> or <c>PathNotFileSystem</c>.</exception>
    public static string Literal(PSCmdlet cmdlet, string path)
    {
        try
        {
            string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            CheckProvider(path, provider);
            return full;
        }
        catch (Exception e) when (e is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException)
        {
            throw NotFound(path, e);
        }
    }

    private static void CheckProvider(string path, ProviderInfo provider)
    {
        if (provider.Name != "FileSystem")
        {
            throw new FunctionBuildException("PathNotFileSystem", FaultKind.InvalidArgument, $"'{path}' belongs to the provider '{provider.Name}'. Expected a path of the file system.", path);
        }
    }

    private static FunctionBuildException NotMatched(string path, Exception? cause) => WildcardPattern.ContainsWildcardCharacters(path)
        ? new("PathNotFound", FaultKind.NotFound, $"'{path}': no file matches. If that is its name, and no pattern, give it to -LiteralPath.", path, cause)
        : NotFound(path, cause);

    private static FunctionBuildException NotFound(string path, Exception? cause) =>
        new("PathNotFound", FaultKind.NotFound, $"'{path}': no such file.", path, cause);
}
