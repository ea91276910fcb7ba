using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Tests.Rendering.Composition;

public sealed class ResourceNamesTests
{
    private const string Uid = "75e4a668-035f-4ce8-8c45-f4d3ac850155";
    private const string LongName = "test-resource-with-a-super-duper-really-long-name-to-test-compaction";

    // The suffix is the first 12 digits of SHA-256 of UID and name, as the controller has it.
    [Theory]
    [InlineData("parent-xr-", LongName, "parent-xr-e5ac98dc40a2")]
    [InlineData("parent-xr", LongName, "parent-xr-e5ac98dc40a2")]
    [InlineData("", LongName, "e5ac98dc40a2")]
    public void A_generated_name_is_the_prefix_and_digits_of_owner_and_resource(string prefix, string resource, string expected) =>
        Assert.Equal(expected, ResourceNames.Child(prefix, Uid, resource));

    [Theory]
    [InlineData(50, 50)]
    [InlineData(51, 50)]
    [InlineData(200, 50)]
    public void A_long_prefix_is_cut_so_that_63_characters_suffice(int length, int kept)
    {
        string name = ResourceNames.Child(new string('p', length), Uid, "a");

        Assert.Equal(63, name.Length);
        Assert.StartsWith(new string('p', kept) + "-", name, StringComparison.Ordinal);
        Assert.NotEqual(name, ResourceNames.Child(new string('p', length), Uid, "b"));
    }

    [Fact]
    public void A_prefix_that_is_cut_at_a_hyphen_has_one()
    {
        string name = ResourceNames.Child(new string('p', 50) + "-tail", Uid, "a");

        Assert.Equal(63, name.Length);
        Assert.StartsWith(new string('p', 50) + "-", name, StringComparison.Ordinal);
        Assert.DoesNotContain("--", name, StringComparison.Ordinal);
    }

    // Made with Python: uuid.uuid5(uuid.UUID(int=0), "example.org/v1, Kind=XBucket\0\0my-bucket").
    [Theory]
    [InlineData("", "1f2f05a8-1e34-529a-b2a6-0ec08ed9fef7")]
    [InlineData("team-a", "85f0909e-7c2a-5601-965b-a29d2fc4c1df")]
    public void A_UID_comes_from_type_namespace_and_name(string @namespace, string expected) =>
        Assert.Equal(expected, ResourceNames.Uid(ObjectKind.Of("example.org/v1", "XBucket"), @namespace, "my-bucket"));

    [Theory]
    [InlineData("apps/v1", "Deployment", "valid-name.with.parts", true)]
    [InlineData("v1", "Pod", "a", true)]
    [InlineData("apps/v1", "Deployment", "9", true)]
    [InlineData("apps/v1", "Deployment", "", false)]
    [InlineData("apps/v1", "Deployment", "-a", false)]
    [InlineData("apps/v1", "Deployment", "a-", false)]
    [InlineData("apps/v1", "Deployment", "a..b", false)]
    [InlineData("apps/v1", "Deployment", "A", false)]
    [InlineData("apps/v1", "Deployment", "a_b", false)]
    [InlineData("apps/v1", "Deployment", "a@b", false)]
    [InlineData("apps/v1", "Deployment", "a\n", false)]
    [InlineData("apps/v1", "Deployment", "a:b", false)]
    [InlineData("rbac.authorization.k8s.io/v1", "Role", "system:admin:user", true)]
    [InlineData("rbac.authorization.k8s.io/v1", "ClusterRole", "system:a", true)]
    [InlineData("rbac.authorization.k8s.io/v1", "RoleBinding", "system:a", true)]
    [InlineData("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "system:a", true)]
    [InlineData("other.io/v1", "Role", "system:a", false)]
    public void Names_are_those_that_an_API_server_takes(string apiVersion, string kind, string name, bool isValid) =>
        Assert.Equal(isValid, ResourceNames.IsValid(name, ObjectKind.Of(apiVersion, kind)));

    [Fact]
    public void The_longest_name_has_253_characters()
    {
        ObjectKind kind = ObjectKind.Of("apps/v1", "Deployment");

        Assert.True(ResourceNames.IsValid(new string('a', 253), kind));
        Assert.False(ResourceNames.IsValid(new string('a', 254), kind));
    }
}
