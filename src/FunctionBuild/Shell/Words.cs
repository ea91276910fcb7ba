using System.Management.Automation;

namespace FunctionBuild.Shell;

/// <summary>Words that an argument can be.</summary>
internal static class Words
{
    /// <summary>Those that begin with what was typed.</summary>
    public static IEnumerable<CompletionResult> Completing(string? typed, IEnumerable<string> words) => words
        .Where(w => w.StartsWith(typed ?? string.Empty, StringComparison.OrdinalIgnoreCase))
        .Select(w => new CompletionResult(w));
}
