using FunctionBuild.Core.Rendering.Protocol;
using Grpc.Core;

namespace FunctionFaulty;

/// <summary>Answers as the variable FAULT says.</summary>
internal sealed class FaultyRunner : FunctionRunnerService.FunctionRunnerServiceBase
{
    private const int Large = 64 * 1024 * 1024;

    private static int CallCount;

    public override async Task<RunFunctionResponse> RunFunction(RunFunctionRequest request, ServerCallContext context)
    {
        Console.WriteLine("function-faulty is called");
        var response = new RunFunctionResponse { Desired = request.Desired };
        string? fault = Environment.GetEnvironmentVariable("FAULT");
        switch (fault)
        {
            case "hangs":
                await Task.Delay(Timeout.Infinite, CancellationToken.None);
                break;
            case "exits-when-called":
                Environment.Exit(4);
                break;
            case "fails":
                throw new RpcException(new Grpc.Core.Status(StatusCode.Internal, "there is no database"));
            case "is-fatal":
                response.Results.Add(new Result { Severity = Severity.Fatal, Message = "there is no database" });
                break;
            case "never-settles":
                response.Requirements = new Requirements();
                response.Requirements.Resources[$"page-{Interlocked.Increment(ref CallCount)}"] = new ResourceSelector { ApiVersion = "v1", Kind = "ConfigMap", MatchName = "page" };
                break;
            case "is-large":
                response.Results.Add(new Result { Severity = Severity.Normal, Message = new string('x', Large) });
                break;
            default:
                throw new RpcException(new Grpc.Core.Status(StatusCode.FailedPrecondition, $"FAULT is '{fault}'"));
        }

        return response;
    }
}
