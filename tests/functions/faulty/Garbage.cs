namespace FunctionFaulty;

/// <summary>A gRPC answer whose message is no protobuf.</summary>
internal static class Garbage
{
    // Not compressed, seven bytes: a field of a type that there is not.
    private static readonly byte[] Message = [0, 0, 0, 0, 7, .. "garbage"u8];

    public static async Task AnswerAsync(HttpContext context)
    {
        Console.WriteLine("function-faulty is called");
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(Message, context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}
