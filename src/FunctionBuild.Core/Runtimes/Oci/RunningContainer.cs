namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>A function in a container of an OCI runtime.</summary>
internal sealed class RunningContainer : RunningFunction
{
    private readonly OciProgram _program;
    private readonly OciContainer _container;
    private readonly IFunctionNetwork _network;
    private readonly Lazy<Task> _end;

    /// <param name="name">The function's name.</param>
    /// <param name="program">The runtime.</param>
    /// <param name="container">The container.</param>
    /// <param name="network">The way to it.</param>
    /// <param name="end">Ends it and removes what it needed.</param>
    public RunningContainer(string name, OciProgram program, OciContainer container, IFunctionNetwork network, Func<Task> end)
        : base(name)
    {
        _program = program;
        _container = container;
        _network = network;
        _end = new Lazy<Task>(end);
    }

    public override string Description => $"{_program.Name} {_container.Id}";

    public override ValueTask<Stream> ConnectAsync(CancellationToken cancellation) => _network.ConnectAsync(cancellation);

    public override Task<string> ReadLogAsync(CancellationToken cancellation) => Task.FromResult(_container.Log.ToString());

    public override async ValueTask DisposeAsync() => await _end.Value.ConfigureAwait(false);
}
