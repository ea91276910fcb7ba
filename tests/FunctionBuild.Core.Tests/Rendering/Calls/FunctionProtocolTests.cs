using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

public sealed class FunctionProtocolTests
{
    [Fact]
    public void Both_versions_have_the_names_that_functions_serve()
    {
        Assert.Equal("/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction", FunctionProtocol.V1.FullName);
        Assert.Equal("/apiextensions.fn.proto.v1beta1.FunctionRunnerService/RunFunction", FunctionProtocol.V1Beta1.FullName);
    }

    // Threads of musl and macOS have a megabyte or so, and a stack that overflows ends the process.
    [Fact]
    public void The_deepest_answer_is_read_copied_and_written_on_a_small_stack()
    {
        var deep = new Struct();
        for (int i = 1; i < StructConverter.MaxDepth; i++)
        {
            deep = new Struct { Fields = { ["a"] = Value.ForStruct(deep) } };
        }

        var answer = new RunFunctionResponse { Desired = new State { Resources = { ["deep"] = new Resource { Resource_ = deep } } } };
        byte[] bytes = answer.ToByteArray();
        Exception? failure = null;
        var thread = new Thread(
            () => failure = Record.Exception(() =>
            {
                RunFunctionResponse read = FunctionProtocol.V1.ResponseMarshaller.ContextualDeserializer(new Payload(bytes));
                var request = new RunFunctionRequest { Desired = read.Desired };
                Assert.Equal(answer, read);
                Assert.Equal(RequestTag.Of(request), RequestTag.Of(request.Clone()));
            }),
            maxStackSize: 768 * 1024);
        thread.Start();
        thread.Join();

        Assert.Null(failure);
    }

    private sealed class Payload(byte[] bytes) : DeserializationContext
    {
        public override int PayloadLength => bytes.Length;

        public override byte[] PayloadAsNewBuffer() => [.. bytes];
    }
}
