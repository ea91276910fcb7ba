using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Protocol;

namespace FunctionBuild.Core.Tests.Rendering.Calls;

public sealed class RequiredResourceStoreTests
{
    private static RequiredResourceStore Bucketful() => new(
        Json.Item("example.org/v1", "Bucket", "b", "one", "tier=gold", "zone=x"),
        Json.Item("example.org/v1", "Bucket", "a", "two", "tier=gold"),
        Json.Item("example.org/v1", "Bucket", "a", "one", "tier=lead"),
        Json.Item("example.org/v1", "Bucket", null, "one", "tier="),
        Json.Item("example.org/v2", "Bucket", "a", "new"),
        Json.Item("example.com/v1", "Bucket", "a", "other-group"),
        Json.Item("example.org/v1", "Access", "a", "access"),
        Json.Item("v1", "ConfigMap", "a", "settings"));

    [Theory]
    [InlineData("b", "one", "b/one")]
    [InlineData("", "one", "/one")]
    [InlineData("a", "three", null)]
    [InlineData("", "two", null)]
    public void By_name_it_is_the_object_of_exactly_that_namespace(string space, string name, string? expected)
    {
        Resources found = Bucketful().Fetch(new ResourceSelector { ApiVersion = "example.org/v1", Kind = "Bucket", Namespace = space, MatchName = name });

        Assert.Equal(expected is null ? [] : [expected], Json.Names(found));
    }

    [Theory]
    [InlineData("example.org/v3", "Bucket")]
    [InlineData("example.net/v1", "Bucket")]
    [InlineData("example.org/v1", "bucket")]
    [InlineData("v1", "Bucket")]
    [InlineData("a/b/c", "Bucket")]
    [InlineData("", "")]
    public void What_there_is_not_is_an_empty_list(string apiVersion, string kind)
    {
        Assert.Empty(Bucketful().Fetch(new ResourceSelector { ApiVersion = apiVersion, Kind = kind, MatchName = "one" }).Items);
        Assert.Empty(Bucketful().Fetch(new ResourceSelector { ApiVersion = apiVersion, Kind = kind }).Items);
    }

    [Fact]
    public void The_whole_object_is_found()
    {
        JsonObject item = Json.Item("v1", "ConfigMap", "a", "settings");
        item["data"] = new JsonObject { ["colour"] = "green" };

        Resources found = new RequiredResourceStore(item).Fetch(new ResourceSelector { ApiVersion = "v1", Kind = "ConfigMap", Namespace = "a", MatchName = "settings" });

        Assert.Equal("green", Assert.Single(found.Items).Resource_.Fields["data"].StructValue.Fields["colour"].StringValue);
    }

    [Theory]
    [InlineData("", "tier=gold", "a/two b/one")]
    [InlineData("", "tier=gold zone=x", "b/one")]
    [InlineData("a", "tier=gold", "a/two")]
    [InlineData("c", "tier=gold", "")]
    [InlineData("", "tier=", "/one")]
    [InlineData("", "nothing=", "")]
    [InlineData("", "", "/one a/one a/two b/one")]
    public void By_labels_it_is_all_that_have_them_ordered_by_namespace_and_name(string space, string labels, string expected)
    {
        var wanted = new MatchLabels();
        foreach (string[] pair in labels.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(label => label.Split('=')))
        {
            wanted.Labels[pair[0]] = pair[1];
        }

        Resources found = Bucketful().Fetch(new ResourceSelector { ApiVersion = "example.org/v1", Kind = "Bucket", Namespace = space, MatchLabels = wanted });

        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), Json.Names(found));
    }

    [Fact]
    public void Without_a_match_it_is_all_of_the_kind()
    {
        RequiredResourceStore store = Bucketful();

        Assert.Equal(["/one", "a/one", "a/two", "b/one"], Json.Names(store.Fetch(new ResourceSelector { ApiVersion = "example.org/v1", Kind = "Bucket" })));
        Assert.Equal(["a/one", "a/two"], Json.Names(store.Fetch(new ResourceSelector { ApiVersion = "example.org/v1", Kind = "Bucket", Namespace = "a" })));
        Assert.Equal(["/one", "a/new", "a/one", "a/two", "b/one"], Json.Names(store.Fetch(new ResourceSelector { ApiVersion = "example.org/", Kind = "Bucket" })));
    }

    [Fact]
    public void A_list_is_found_by_its_kind_with_the_suffix_too_and_an_object_is_not()
    {
        RequiredResourceStore store = Bucketful();

        Assert.Equal(["a/access"], Json.Names(store.Fetch(new ResourceSelector { ApiVersion = "example.org/v1", Kind = "AccessList" })));
        Assert.Empty(store.Fetch(new ResourceSelector { ApiVersion = "example.org/v1", Kind = "AccessList", Namespace = "a", MatchName = "access" }).Items);
    }

    [Fact]
    public void A_later_object_replaces_an_earlier()
    {
        var store = new RequiredResourceStore(Json.Item("v1", "ConfigMap", "a", "x", "n=1"));

        store.Put(Json.Item("v1", "ConfigMap", "a", "x", "n=2"));

        Assert.Equal("2", (string?)store.Find("v1", "ConfigMap", "a", "x")!["metadata"]!["labels"]!["n"]);
        Assert.Single(store.Fetch(new ResourceSelector { ApiVersion = "v1", Kind = "ConfigMap" }).Items);
    }

    [Fact]
    public void Objects_that_are_hardly_objects_do_no_harm()
    {
        var store = new RequiredResourceStore(
            Json.Parse("{}"),
            Json.Parse("""{"apiVersion":1,"kind":[],"metadata":"no"}"""),
            Json.Parse("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","labels":{"a":1}}}"""));

        Assert.Empty(store.Fetch(new ResourceSelector { ApiVersion = "v1", Kind = "ConfigMap", MatchLabels = new MatchLabels { Labels = { ["a"] = "1" } } }).Items);
        Assert.Single(store.Fetch(new ResourceSelector { ApiVersion = "v1", Kind = "ConfigMap" }).Items);
    }

    [Fact]
    public void A_renders_store_has_the_composite_what_is_observed_what_is_required_and_secrets()
    {
        var request = new RenderRequest
        {
            CompositeResource = Json.Item("example.org/v1", "XR", "a", "xr"),
            Composition = [],
            ObservedResources = [Json.Item("v1", "ConfigMap", "a", "observed")],
            RequiredResources = [Json.Item("v1", "ConfigMap", "a", "required")],
            Credentials = [Json.Parse("""{"metadata":{"name":"s","namespace":"a"}}"""), Json.Item("v1", "Secret", "a", "t")],
        };

        var store = RequiredResourceStore.For(request, Json.Item("example.org/v1", "XR", "a", "xr", "uid=1"));

        Assert.Equal(["a/observed", "a/required"], Json.Names(store.Fetch(new ResourceSelector { ApiVersion = "v1", Kind = "ConfigMap" })));
        Assert.Equal(["a/s", "a/t"], Json.Names(store.Fetch(new ResourceSelector { ApiVersion = "v1", Kind = "Secret" })));
        Assert.NotNull(store.Find("example.org/v1", "XR", "a", "xr")!["metadata"]!["labels"]);
        Assert.False(request.Credentials[0].ContainsKey("kind"));
    }

    [Fact]
    public void It_remembers_what_it_was_asked_for_once_each_and_in_order()
    {
        RequiredResourceStore store = Bucketful();
        var byLabels = new ResourceSelector { ApiVersion = "v1", Kind = "B", Namespace = "a", MatchLabels = new MatchLabels { Labels = { ["tier"] = "gold" } } };

        store.Fetch(byLabels);
        store.Fetch(new ResourceSelector { ApiVersion = "v1", Kind = "A", MatchName = "x" });
        store.Fetch(byLabels.Clone());
        store.Find("v1", "C", "", "x");
        byLabels.Kind = "Z";

        Assert.Equal(
            ["""{"apiVersion":"v1","kind":"B","matchLabels":{"labels":{"tier":"gold"}},"namespace":"a"}""", """{"apiVersion":"v1","kind":"A","matchName":"x"}"""],
            store.Requested.Select(item => item.ToJsonString()));
    }
}
