using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>The method <c>RunFunction</c> in both versions of the function protocol. Their messages are the same, only the service's name differs.</summary>
internal static class FunctionProtocol
{
    private const string MethodName = "RunFunction";

    // An object in a struct is three messages: the struct, an entry of its map, and the entry's value. The objects are in
    // a resource, in an entry, in a state, in the answer. The library's own limit of 100 would refuse many a CRD.
    private const int MessagesPerLevel = 3;
    private const int RecursionLimit = (StructConverter.MaxDepth * MessagesPerLevel) + 8;

    private static readonly Marshaller<RunFunctionRequest> Requests = new(Write, ReadRequest);
    private static readonly Marshaller<RunFunctionResponse> Responses = new(Write, ReadResponse);

    /// <summary>Version 1, which is tried first.</summary>
    public static Method<RunFunctionRequest, RunFunctionResponse> V1 { get; } = Create("v1");

    /// <summary>Version v1beta1, for functions older than version 1.</summary>
    public static Method<RunFunctionRequest, RunFunctionResponse> V1Beta1 { get; } = Create("v1beta1");

    private static Method<RunFunctionRequest, RunFunctionResponse> Create(string version) =>
        new(MethodType.Unary, $"apiextensions.fn.proto.{version}.FunctionRunnerService", MethodName, Requests, Responses);

    private static void Write(IMessage message, SerializationContext context)
    {
        context.SetPayloadLength(message.CalculateSize());
        message.WriteTo(context.GetBufferWriter());
        context.Complete();
    }

    private static RunFunctionRequest ReadRequest(DeserializationContext context) => Read(RunFunctionRequest.Parser, context);

    private static RunFunctionResponse ReadResponse(DeserializationContext context) => Read(RunFunctionResponse.Parser, context);

    private static T Read<T>(MessageParser<T> parser, DeserializationContext context)
        where T : IMessage<T>
    {
        using var payload = new MemoryStream(context.PayloadAsNewBuffer(), writable: false);
        using var input = CodedInputStream.CreateWithLimits(payload, int.MaxValue, RecursionLimit);
        return parser.ParseFrom(input);
    }
}
