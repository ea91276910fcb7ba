namespace FunctionBuild.Core.Runtimes;

/// <summary>
/// Runs functions by the runtime that was chosen, which is set up when the first function needs it. A function that
/// listens already is used where it is, whatever the choice.
/// </summary>
public sealed class RuntimeSelector : IFunctionRuntime, IDisposable
{
    private readonly RuntimeChoice _choice;
    private readonly IFunctionRuntime _development;
    private readonly Func<CancellationToken, Task<IFunctionRuntime>> _docker;
    private readonly Func<CancellationToken, Task<IFunctionRuntime>> _oci;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private IFunctionRuntime? _chosen;

    /// <summary>Creates a selector.</summary>
    /// <param name="choice">Which runtime.</param>
    /// <param name="development">Uses functions that listen already.</param>
    /// <param name="docker">Finds a Docker-compatible engine; throws a <see cref="FunctionBuildException"/> that tells why there is none.</param>
    /// <param name="oci">Finds an OCI runtime; throws a <see cref="FunctionBuildException"/> that tells why there is none.</param>
    public RuntimeSelector(
        RuntimeChoice choice,
        IFunctionRuntime development,
        Func<CancellationToken, Task<IFunctionRuntime>> docker,
        Func<CancellationToken, Task<IFunctionRuntime>> oci)
    {
        _choice = choice;
        _development = development;
        _docker = docker;
        _oci = oci;
    }

    /// <inheritdoc/>
    /// <exception cref="FunctionBuildException">ErrorId <c>NoRuntime</c>, or what the runtime throws.</exception>
    public async Task<RunningFunction> StartAsync(FunctionStart start, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(start);
        IFunctionRuntime runtime = start.DevelopmentTarget is not null || _choice == RuntimeChoice.Development
            ? _development
            : await ChooseAsync(cancellation).ConfigureAwait(false);
        return await runtime.StartAsync(start, cancellation).ConfigureAwait(false);
    }

    /// <summary>Lets the chosen runtime go. Functions that it started must have been stopped.</summary>
    public void Dispose()
    {
        (_chosen as IDisposable)?.Dispose();
        _gate.Dispose();
    }

    private async Task<IFunctionRuntime> ChooseAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return _chosen ??= _choice switch
            {
                RuntimeChoice.Docker => await _docker(cancellation).ConfigureAwait(false),
                RuntimeChoice.Oci => await _oci(cancellation).ConfigureAwait(false),
                _ => await FirstAsync(cancellation).ConfigureAwait(false),
            };
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<IFunctionRuntime> FirstAsync(CancellationToken cancellation)
    {
        var failures = new List<FunctionBuildException>();
        foreach (Func<CancellationToken, Task<IFunctionRuntime>> find in (Func<CancellationToken, Task<IFunctionRuntime>>[])[_docker, _oci])
        {
            try
            {
                return await find(cancellation).ConfigureAwait(false);
            }
            catch (FunctionBuildException e)
            {
                failures.Add(e);
            }
        }

        throw new FunctionBuildException(
            "NoRuntime",
            FaultKind.NotFound,
            $"There is nothing on this machine that runs functions. Install an OCI runtime (runc, crun or youki), or a Docker-compatible engine (Docker, Podman) and start it; or start the function yourself and name its address with -Runtime Development. {string.Join(' ', failures.Select(f => f.Message))}",
            null,
            new AggregateException(failures));
    }
}
