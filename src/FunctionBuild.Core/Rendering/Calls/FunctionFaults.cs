using System.Globalization;
using FunctionBuild.Core.Runtimes;
using Google.Protobuf;
using Grpc.Core;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>Says what went wrong with a call to a function, with the end of the function's log.</summary>
internal sealed class FunctionFaults(RunningFunction function)
{
    // What the gRPC client says of an answer that it does not take; it gives no better sign.
    private const string TooLargeDetail = "Received message exceeds the maximum configured message size.";
    private const string NotGrpcDetail = "Bad gRPC response.";
    private const string NoStatusDetail = "No grpc-status found on response.";

    /// <summary>The error for a call that ended with a gRPC status.</summary>
    public async Task<FunctionBuildException> OfAsync(RpcException cause, CancellationToken cancellation)
    {
        (string id, FaultKind kind, string message) = cause.Status.DebugException is { } local
            ? await DescribeAsync(local, cause.StatusCode, cancellation).ConfigureAwait(false)
            : Describe(cause.Status);
        string log = await FunctionLog.DescribeAsync(function, cancellation).ConfigureAwait(false);
        return new FunctionBuildException(id, kind, message + log, function.Name, cause);
    }

    /// <summary>The error for a call that took too long.</summary>
    public async Task<FunctionBuildException> OfTimeoutAsync(TimeSpan timeout, RpcException cause, CancellationToken cancellation)
    {
        string log = await FunctionLog.DescribeAsync(function, cancellation).ConfigureAwait(false);
        return new FunctionBuildException(
            "FunctionTimeout",
            FaultKind.Connection,
            string.Create(CultureInfo.InvariantCulture, $"{Subject} did not answer within {timeout.TotalSeconds:0.###} seconds. Give it more time, or look into its log for what it waits for.{log}"),
            function.Name,
            cause);
    }

    private string Subject => $"Function '{function.Name}' ({function.Description})";

    // What the function said, or the client about what it said.
    private (string Id, FaultKind Kind, string Message) Describe(Status status)
    {
        string told = status.Detail.Length == 0 ? $"{status.StatusCode}" : $"{status.StatusCode}: {status.Detail}";
        return status switch
        {
            { StatusCode: StatusCode.ResourceExhausted, Detail: TooLargeDetail } => (
                "FunctionAnswerTooLarge",
                FaultKind.LimitExceeded,
                $"{Subject} answered with more than {FunctionConnection.LargestAnswer / (1024 * 1024)} MiB, the most that Crossplane takes. Let it return fewer or smaller resources."),
            { StatusCode: StatusCode.Unimplemented } => (
                "FunctionProtocolUnsupported",
                FaultKind.InvalidData,
                $"{Subject} serves neither version v1 nor version v1beta1 of the function protocol ({told}). Check that it is a composition function, and that the address is its own."),
            { StatusCode: StatusCode.Unavailable } => Unavailable(told),
            _ when status.Detail.StartsWith(NotGrpcDetail, StringComparison.Ordinal) || status.Detail == NoStatusDetail => (
                "FunctionAnswerInvalid",
                FaultKind.InvalidData,
                $"{Subject} does not speak gRPC ({told}). Check that the address is the function's own."),
            _ => (
                "FunctionCallFailed",
                FaultKind.InvalidData,
                $"{Subject} failed with gRPC status {told}. That is the function's own error: look into its log and its input."),
        };
    }

    // What went wrong on this side of the connection.
    private async Task<(string Id, FaultKind Kind, string Message)> DescribeAsync(Exception local, StatusCode code, CancellationToken cancellation)
    {
        List<Exception> causes = [.. Chain(local)];
        if (causes.Find(e => e is InvalidProtocolBufferException) is { } unreadable)
        {
            return (
                "FunctionAnswerInvalid",
                FaultKind.InvalidData,
                $"{Subject} answered with something that is not a RunFunctionResponse, or is nested too deep ({FirstSentence(unreadable.Message)}). Build it with a current function SDK.");
        }

        if (await PeerProbe.ForeignAnswerAsync(function, cancellation).ConfigureAwait(false) is { } answer)
        {
            return (
                "FunctionAnswerInvalid",
                FaultKind.InvalidData,
                $"{Subject} does not speak gRPC over HTTP/2 in plain text; it answers with {answer}. Check that the address is the function's, and that it was started with --insecure.");
        }

        // The innermost says most, but for one that only tells that the client gave the connection up.
        Exception cause = causes.FindLast(e => e is not ObjectDisposedException) ?? local;
        return Unavailable($"{code}: {cause.Message}");
    }

    private (string Id, FaultKind Kind, string Message) Unavailable(string told) => (
        "FunctionUnavailable",
        FaultKind.Connection,
        $"{Subject} cannot be reached, or broke the call off ({told}). Check that it runs and listens.");

    // The others tell a programmer what to call.
    private static string FirstSentence(string text) => text.Split('.')[0];

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }
}
