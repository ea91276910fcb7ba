namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>A way to a function's port.</summary>
internal interface IFunctionNetwork : IDisposable
{
    /// <summary>Opens a connection.</summary>
    /// <exception cref="IOException">Nothing listens, or it does not accept.</exception>
    ValueTask<Stream> ConnectAsync(CancellationToken cancellation);
}
