namespace FunctionBuild.Core.Runtimes;

/// <summary>Something that can run functions. Callable from several threads.</summary>
public interface IFunctionRuntime
{
    /// <summary>Starts a function and waits until it listens.</summary>
    /// <param name="start">The function, and how it is run.</param>
    /// <param name="cancellation">Stops the start, after which nothing of it is left.</param>
    /// <exception cref="FunctionBuildException">It cannot be started, or does not listen; the message has the end of its log. Nothing of it is left.</exception>
    Task<RunningFunction> StartAsync(FunctionStart start, CancellationToken cancellation);
}
