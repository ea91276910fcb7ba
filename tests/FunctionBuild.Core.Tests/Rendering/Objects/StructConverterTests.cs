using System.Text.Json.Nodes;
using CsCheck;
using FunctionBuild.Core.Rendering.Objects;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Tests.Rendering.Objects;

public sealed class StructConverterTests
{
    [Fact]
    public void An_object_becomes_a_struct_of_the_same_fields()
    {
        Struct result = StructConverter.ToStruct(Parse("""{"kind":"Test","n":3,"f":1.5,"yes":true,"no":false,"none":null,"list":[1,"two",null,[],{}],"spec":{"a":{}}}"""));

        Assert.Equal(["kind", "n", "f", "yes", "no", "none", "list", "spec"], result.Fields.Keys);
        Assert.Equal("Test", result.Fields["kind"].StringValue);
        Assert.Equal(3, result.Fields["n"].NumberValue);
        Assert.Equal(1.5, result.Fields["f"].NumberValue);
        Assert.True(result.Fields["yes"].BoolValue);
        Assert.Equal(Value.KindOneofCase.BoolValue, result.Fields["no"].KindCase);
        Assert.Equal(Value.KindOneofCase.NullValue, result.Fields["none"].KindCase);
        Assert.Equal(5, result.Fields["list"].ListValue.Values.Count);
        Assert.Empty(result.Fields["spec"].StructValue.Fields["a"].StructValue.Fields);
    }

    [Fact]
    public void Values_made_in_code_convert_as_those_that_were_parsed()
    {
        var source = new JsonObject { ["i"] = 7, ["l"] = 7L, ["b"] = (byte)7, ["m"] = 7.5m, ["s"] = "t", ["c"] = 'c', ["g"] = Guid.Empty, ["t"] = true };

        JsonObject back = StructConverter.ToObject(StructConverter.ToStruct(source));

        AssertSame("""{"b":7,"c":"c","g":"00000000-0000-0000-0000-000000000000","i":7,"l":7,"m":7.5,"s":"t","t":true}""", back);
    }

    [Fact]
    public void A_struct_becomes_an_object_ordered_by_name()
    {
        var source = new Struct { Fields = { ["b"] = Value.ForNumber(1), ["a"] = Value.ForString("x"), ["C"] = Value.ForNull(), ["0"] = new Value() } };

        JsonObject result = StructConverter.ToObject(source);

        Assert.Equal("""{"0":null,"C":null,"a":"x","b":1}""", result.ToJsonString());
    }

    // What encoding/json makes of the same doubles.
    [Theory]
    [InlineData(0d, "0")]
    [InlineData(1d, "1")]
    [InlineData(-3d, "-3")]
    [InlineData(1.5, "1.5")]
    [InlineData(0.1, "0.1")]
    [InlineData(9007199254740991d, "9007199254740991")]
    [InlineData(1152921504606846976d, "1152921504606847000")]
    [InlineData(9223372036854775807d, "9223372036854776000")]
    [InlineData(-9223372036854775808d, "-9223372036854776000")]
    [InlineData(18446744073709551615d, "18446744073709552000")]
    [InlineData(1e20, "100000000000000000000")]
    [InlineData(double.NaN, "\"NaN\"")]
    [InlineData(double.PositiveInfinity, "\"Infinity\"")]
    [InlineData(double.NegativeInfinity, "\"-Infinity\"")]
    public void A_number_is_written_as_Go_writes_it(double number, string written)
    {
        JsonObject result = StructConverter.ToObject(new Struct { Fields = { ["n"] = Value.ForNumber(number) } });

        Assert.Equal($$"""{"n":{{written}}}""", result.ToJsonString());
    }

    [Theory]
    [InlineData(1e21)]
    [InlineData(1.7976931348623157e308)]
    [InlineData(5e-324)]
    public void A_number_beyond_integers_stays_what_it_is(double number)
    {
        JsonObject result = StructConverter.ToObject(new Struct { Fields = { ["n"] = Value.ForNumber(number) } });

        Assert.Equal(number, result["n"]!.GetValue<double>());
    }

    [Fact]
    public void A_negative_zero_is_zero() =>
        AssertSame("""{"n":0}""", StructConverter.ToObject(new Struct { Fields = { ["n"] = Value.ForNumber(-0d) } }));

    [Fact]
    public void An_integer_is_an_integer_to_whoever_reads_it() =>
        Assert.Equal(80L, StructConverter.ToObject(new Struct { Fields = { ["port"] = Value.ForNumber(80) } })["port"]!.GetValue<long>());

    [Fact]
    public void Any_double_survives_the_way_there_and_back() => Gen.Double.Where(double.IsFinite).Sample(number =>
    {
        JsonObject there = StructConverter.ToObject(new Struct { Fields = { ["n"] = Value.ForNumber(number) } });
        return StructConverter.ToStruct(Parse(there.ToJsonString())).Fields["n"].NumberValue == number;
    });

    [Fact]
    public void Objects_as_deep_as_the_limit_convert_on_a_small_stack()
    {
        Exception? failure = null;
        var thread = new Thread(
            () => failure = Record.Exception(() =>
            {
                JsonObject deep = Deep(StructConverter.MaxDepth);
                Assert.True(JsonNode.DeepEquals(deep, StructConverter.ToObject(StructConverter.ToStruct(deep))));
            }),
            maxStackSize: 512 * 1024);
        thread.Start();
        thread.Join();

        Assert.Null(failure);
    }

    [Fact]
    public void Deeper_objects_are_an_error()
    {
        JsonObject deep = Deep(StructConverter.MaxDepth + 1);
        var list = new JsonObject { ["a"] = Enumerable.Range(0, StructConverter.MaxDepth).Aggregate(new JsonArray(), (inner, _) => [inner]) };
        var structure = new Struct();
        for (int i = 0; i < StructConverter.MaxDepth; i++)
        {
            structure = new Struct { Fields = { ["a"] = Value.ForStruct(structure) } };
        }

        Assert.Equal("ObjectTooDeep", Assert.Throws<FunctionBuildException>(() => StructConverter.ToStruct(deep)).ErrorId);
        Assert.Equal("ObjectTooDeep", Assert.Throws<FunctionBuildException>(() => StructConverter.ToStruct(list)).ErrorId);
        Assert.Equal("ObjectTooDeep", Assert.Throws<FunctionBuildException>(() => StructConverter.ToObject(structure)).ErrorId);
    }

    private static JsonObject Deep(int depth)
    {
        var deep = new JsonObject();
        for (int i = 1; i < depth; i++)
        {
            deep = new JsonObject { ["a"] = deep };
        }

        return deep;
    }

    private static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;

    private static void AssertSame(string json, JsonObject actual) => Assert.Equal(json, actual.ToJsonString());
}
