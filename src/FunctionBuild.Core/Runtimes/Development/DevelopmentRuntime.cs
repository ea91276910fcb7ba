namespace FunctionBuild.Core.Runtimes.Development;

/// <summary>Uses functions that listen already. It starts and stops nothing.</summary>
/// <param name="options">How long a function may take until it listens.</param>
public sealed class DevelopmentRuntime(RuntimeOptions options) : IFunctionRuntime
{
    /// <inheritdoc/>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidDevelopmentTarget</c> or <c>FunctionNotListening</c>.</exception>
    public async Task<RunningFunction> StartAsync(FunctionStart start, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(start);
        var target = DevelopmentTarget.Parse(start.DevelopmentTarget ?? DevelopmentTarget.Default, start.Name);
        options.Report?.Invoke($"{start.Name}: expected to listen on {target.Text}.");
        string? failure = await FunctionPort.WaitAsync(target.ConnectAsync, options, cancellation).ConfigureAwait(false);
        return failure is null
            ? new ListeningFunction(start.Name, target)
            : throw new FunctionBuildException(
                "FunctionNotListening",
                FaultKind.Connection,
                $"Function '{start.Name}' does not listen on {target.Text} ({failure}). Start it with --insecure, or correct its development target.",
                start.Name);
    }
}
