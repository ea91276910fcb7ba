using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

public sealed class RequestTagTests
{
    // What Crossplane computes for the same request.
    [Fact]
    public void It_is_the_controllers()
    {
        RunFunctionRequest request = Observing("""{"kind":"Test","apiVersion":"example.org/v1"}""");

        Assert.Equal("60e065117e1992fb17c3c5ef2a50de370eeec23fbd380836d31ad388bbe4e082", RequestTag.Of(request));
    }

    [Fact]
    public void The_order_of_maps_does_not_matter_however_deep_they_are()
    {
        RunFunctionRequest one = Observing("""{"a":[{"x":1,"y":2}],"b":{"c":null,"d":[[{"e":1,"f":2}]]}}""");
        RunFunctionRequest other = Observing("""{"b":{"d":[[{"f":2,"e":1}]],"c":null},"a":[{"y":2,"x":1}]}""");
        one.Credentials["p"] = Secret("u", "v");
        one.Credentials["q"] = Secret("w", "x");
        other.Credentials["q"] = Secret("x", "w");
        other.Credentials["p"] = Secret("v", "u");

        Assert.NotEqual(one.ToByteArray(), other.ToByteArray());
        Assert.Equal(RequestTag.Of(one), RequestTag.Of(other));
    }

    [Fact]
    public void Requests_that_differ_have_tags_that_differ()
    {
        string[] tags =
        [
            RequestTag.Of(new RunFunctionRequest()),
            RequestTag.Of(Observing("""{"a":1}""")),
            RequestTag.Of(Observing("""{"a":2}""")),
            RequestTag.Of(Observing("""{"a":[1,2]}""")),
            RequestTag.Of(Observing("""{"a":[2,1]}""")),
        ];

        Assert.Equal(tags.Length, tags.Distinct().Count());
    }

    [Fact]
    public void The_request_stays_as_it_is()
    {
        RunFunctionRequest request = Observing("""{"b":1,"a":2}""");

        RequestTag.Of(request);

        Assert.Equal(["b", "a"], request.Observed.Composite.Resource_.Fields.Keys);
    }

    private static RunFunctionRequest Observing(string json) =>
        new() { Observed = new State { Composite = new Resource { Resource_ = StructConverter.ToStruct(Json.Parse(json)) } } };

    private static Credentials Secret(params string[] keys)
    {
        var credentials = new Credentials { CredentialData = new CredentialData() };
        foreach (string key in keys)
        {
            credentials.CredentialData.Data[key] = ByteString.CopyFromUtf8("secret");
        }

        return credentials;
    }
}
