using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Shell;

/// <summary>Completes architectures.</summary>
public sealed class ArchitectureCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Words.Completing(wordToComplete, Platform.KnownArchitectures);
}
