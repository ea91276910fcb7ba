using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>The function protocol's older version: the same messages under another name, which no generated code has.</summary>
[BindServiceMethod(typeof(V1Beta1Service), nameof(Bind))]
internal abstract class V1Beta1Service
{
    public abstract Task<RunFunctionResponse> RunFunction(RunFunctionRequest request, ServerCallContext context);

    public static void Bind(ServiceBinderBase binder, V1Beta1Service? service) => binder.AddMethod(
        new Method<RunFunctionRequest, RunFunctionResponse>(
            MethodType.Unary, "apiextensions.fn.proto.v1beta1.FunctionRunnerService", nameof(RunFunction), Of(RunFunctionRequest.Parser), Of(RunFunctionResponse.Parser)),
        service is null ? null : service.RunFunction);

    private static Marshaller<T> Of<T>(MessageParser<T> parser)
        where T : IMessage<T> => Marshallers.Create(message => message.ToByteArray(), parser.ParseFrom);
}
