using FunctionHello.Proto.V1;
using Google.Protobuf.WellKnownTypes;

namespace FunctionHello;

/// <summary>
/// Composes one ConfigMap that greets whom the composite resource names. Everything else that the
/// pipeline has desired so far passes through unchanged, as a function must let it.
/// </summary>
internal static class HelloFunction
{
    private const string ComposedName = "greeting";
    private const string DefaultName = "world";
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(60);

    public static RunFunctionResponse Run(RunFunctionRequest request)
    {
        var response = new RunFunctionResponse
        {
            Meta = new ResponseMeta { Tag = request.Meta?.Tag ?? "", Ttl = Duration.FromTimeSpan(TimeToLive) },
            Desired = request.Desired?.Clone() ?? new State(),
            Context = request.Context,
        };
        if (!TryReadName(request.Observed?.Composite?.Resource_, out var name))
        {
            response.Results.Add(new Result { Severity = Severity.Fatal, Message = "spec.name must be a string" });
            return response;
        }
        var greeting = $"Hello, {name}!";
        response.Desired.Resources[ComposedName] = new Resource { Resource_ = ConfigMap(greeting), Ready = Ready.True };
        response.Results.Add(new Result { Severity = Severity.Normal, Message = $"composed a greeting: {greeting}" });
        return response;
    }

    private static bool TryReadName(Struct? composite, out string name)
    {
        name = DefaultName;
        var value = composite?.Fields.GetValueOrDefault("spec")?.StructValue?.Fields.GetValueOrDefault("name");
        switch (value?.KindCase)
        {
            case null or Value.KindOneofCase.NullValue:
                return true;
            case Value.KindOneofCase.StringValue:
                name = value.StringValue;
                return true;
            default:
                return false;
        }
    }

    private static Struct ConfigMap(string greeting) => new()
    {
        Fields =
        {
            ["apiVersion"] = Value.ForString("v1"),
            ["kind"] = Value.ForString("ConfigMap"),
            ["data"] = Value.ForStruct(new Struct { Fields = { ["greeting"] = Value.ForString(greeting) } }),
        },
    };
}
