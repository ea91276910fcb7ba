namespace FunctionBuild.Core.Runtimes;

/// <summary>A function that listens. Disposing it stops it and removes what it needed; that never throws, and is done once.</summary>
public abstract class RunningFunction : IAsyncDisposable
{
    /// <summary>Creates a handle.</summary>
    /// <param name="name">The function's name.</param>
    protected RunningFunction(string name) => Name = name;

    /// <summary>The name by which pipeline steps refer to the function.</summary>
    public string Name { get; }

    /// <summary>Where it runs, for people: <c>runc 1a2b3c</c>, <c>docker container …</c>, <c>localhost:9443</c>.</summary>
    public abstract string Description { get; }

    /// <summary>Opens a connection to the function's port. Each call opens a new one; the caller closes it.</summary>
    /// <exception cref="IOException">The function does not accept it.</exception>
    public abstract ValueTask<Stream> ConnectAsync(CancellationToken cancellation);

    /// <summary>The end of what the function wrote to its standard output and error; empty when that is not known.</summary>
    public abstract Task<string> ReadLogAsync(CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
