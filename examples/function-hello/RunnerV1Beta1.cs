using FunctionHello.Proto.V1;
using Grpc.Core;

namespace FunctionHello;

/// <summary>Serves <see cref="HelloFunction"/> as <c>apiextensions.fn.proto.v1beta1</c>, to older Crossplanes.</summary>
internal sealed class RunnerV1Beta1 : Proto.V1Beta1.FunctionRunnerService.FunctionRunnerServiceBase
{
    public override Task<RunFunctionResponse> RunFunction(RunFunctionRequest request, ServerCallContext context) =>
        Task.FromResult(HelloFunction.Run(request));
}
