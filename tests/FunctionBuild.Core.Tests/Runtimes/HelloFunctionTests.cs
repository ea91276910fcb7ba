using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Runtimes;

public sealed class HelloFunctionTests(HelloFunction hello) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_example_is_the_same_package_in_any_workspace()
    {
        FunctionImage shared = await hello.GetImageAsync();
        FunctionImage own = await hello.GetImageAsync(_folder);

        Assert.Equal(shared.Digest, own.Digest);
        Assert.NotSame(shared.Workspace, own.Workspace);
    }
}
