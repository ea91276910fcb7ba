using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Shell;

/// <summary>Completes capabilities of functions.</summary>
public sealed class CapabilityCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Words.Completing(wordToComplete, MetadataOptions.DefaultCapabilities);
}
