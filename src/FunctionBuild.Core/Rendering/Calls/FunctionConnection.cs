using FunctionBuild.Core.Rendering.Protocol;
using FunctionBuild.Core.Runtimes;
using Grpc.Core;
using Grpc.Net.Client;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// The connection to one function: HTTP/2 in plain text. It tries version 1 of the protocol first; a function that does
/// not implement it is called by v1beta1, from then on at once.
/// </summary>
internal sealed class FunctionConnection : IAsyncDisposable
{
    /// <summary>The largest answer in bytes: the controller's, whose gRPC library takes no more unless it is told to.</summary>
    public const int LargestAnswer = 4 * 1024 * 1024;

    private readonly RunningFunction _function;
    private readonly TimeSpan? _callTimeout;
    private readonly FunctionFaults _faults;
    private readonly CancellationTokenSource _closed = new();
    private readonly GrpcChannel _channel;
    private volatile bool _isBeta;

    public FunctionConnection(RunningFunction function, TimeSpan? callTimeout)
    {
        _function = function;
        _callTimeout = callTimeout;
        _faults = new FunctionFaults(function);
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = ConnectAsync,
                UseProxy = false,
                UseCookies = false,
                AllowAutoRedirect = false,
            },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = LargestAnswer,
            MaxSendMessageSize = null,
        });
    }

    /// <inheritdoc cref="IFunctionCaller.CallAsync"/>
    public async Task<RunFunctionResponse> CallAsync(RunFunctionRequest request, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (_callTimeout is { } timeout)
        {
            limit.CancelAfter(timeout);
        }

        try
        {
            return await CallEitherVersionAsync(request, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException($"The call to function '{_function.Name}' was cancelled.", e, cancellation);
        }
        catch (RpcException e) when (limit.IsCancellationRequested)
        {
            throw await _faults.OfTimeoutAsync(_callTimeout!.Value, e, cancellation).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw await _faults.OfAsync(e, cancellation).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        _channel.Dispose();
        _closed.Dispose();
    }

    private async Task<RunFunctionResponse> CallEitherVersionAsync(RunFunctionRequest request, CancellationToken cancellation)
    {
        if (!_isBeta)
        {
            try
            {
                return await CallAsync(FunctionProtocol.V1, request, cancellation).ConfigureAwait(false);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
            {
                // Falls through: the other version says what is wrong, if it is wrong too.
            }
        }

        RunFunctionResponse response = await CallAsync(FunctionProtocol.V1Beta1, request, cancellation).ConfigureAwait(false);
        _isBeta = true;
        return response;
    }

    private async Task<RunFunctionResponse> CallAsync(
        Method<RunFunctionRequest, RunFunctionResponse> method, RunFunctionRequest request, CancellationToken cancellation)
    {
        var options = new CallOptions(cancellationToken: cancellation);
        using AsyncUnaryCall<RunFunctionResponse> call = _channel.CreateCallInvoker().AsyncUnaryCall(method, null, options, request);
        return await call.ResponseAsync.ConfigureAwait(false);
    }

    // A connection that is being opened outlives the call that asked for it; it ends with the client.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token, cancellation);
        return await _function.ConnectAsync(either.Token).ConfigureAwait(false);
    }
}
