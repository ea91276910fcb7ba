using System.Globalization;
using System.Management.Automation.Host;

namespace FunctionBuild.Host;

/// <summary>What the engine sees of the process that it runs in.</summary>
internal sealed class EngineHost(ConsoleUI ui) : PSHost
{
    /// <summary>The code given to <c>exit</c>, once it was called.</summary>
    public int? ExitRequest { get; private set; }

    /// <inheritdoc/>
    public override string Name => "FunctionBuild Host";

    /// <inheritdoc/>
    public override Version Version { get; } = Version.Parse(Program.Version);

    /// <inheritdoc/>
    public override Guid InstanceId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public override PSHostUserInterface UI => ui;

    /// <inheritdoc/>
    public override CultureInfo CurrentCulture { get; } = CultureInfo.CurrentCulture;

    /// <inheritdoc/>
    public override CultureInfo CurrentUICulture { get; } = CultureInfo.CurrentUICulture;

    /// <inheritdoc/>
    public override void SetShouldExit(int exitCode) => ExitRequest = exitCode;

    /// <inheritdoc/>
    public override void EnterNestedPrompt() => throw new NotSupportedException("This host has no nested prompts.");

    /// <inheritdoc/>
    public override void ExitNestedPrompt() => throw new NotSupportedException("This host has no nested prompts.");

    /// <inheritdoc/>
    public override void NotifyBeginApplication() => ui.ClearProgress();

    /// <inheritdoc/>
    public override void NotifyEndApplication()
    {
        // A program leaves nothing here to restore.
    }
}
