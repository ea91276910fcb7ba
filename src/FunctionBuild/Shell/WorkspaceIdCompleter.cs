using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Shell;

/// <summary>Completes ids of the session's workspaces.</summary>
public sealed class WorkspaceIdCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        WorkspaceSession.Workspaces
            .Where(w => w.Id.StartsWith(wordToComplete ?? string.Empty, StringComparison.OrdinalIgnoreCase))
            .Select(w => new CompletionResult(w.Id, w.Id, CompletionResultType.ParameterValue, $"{w.Path}, {w.TarballsImported} tarballs"));
}
