using FunctionHello.Proto.V1;
using Grpc.Core;

namespace FunctionHello;

/// <summary>Serves <see cref="HelloFunction"/> as <c>apiextensions.fn.proto.v1</c>.</summary>
internal sealed class RunnerV1 : FunctionRunnerService.FunctionRunnerServiceBase
{
    public override Task<RunFunctionResponse> RunFunction(RunFunctionRequest request, ServerCallContext context) =>
        Task.FromResult(HelloFunction.Run(request));
}
