using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Tests.Runtimes;

public sealed class RuntimeSelectorTests : IDisposable
{
    private static readonly FunctionStart Start = new("function-a");

    private readonly FakeRuntime _development = new();
    private readonly FakeRuntime _docker = new();
    private readonly FakeRuntime _oci = new();
    private int _searches;

    public void Dispose()
    {
        _development.Dispose();
        _docker.Dispose();
        _oci.Dispose();
    }

    [Theory]
    [InlineData(RuntimeChoice.Auto, true, true, "docker")]
    [InlineData(RuntimeChoice.Auto, false, true, "oci")]
    [InlineData(RuntimeChoice.Docker, true, true, "docker")]
    [InlineData(RuntimeChoice.Oci, true, true, "oci")]
    [InlineData(RuntimeChoice.Development, true, true, "development")]
    public async Task The_choice_decides(RuntimeChoice choice, bool hasDocker, bool hasOci, string expected)
    {
        using RuntimeSelector selector = Select(choice, hasDocker, hasOci);

        await selector.StartAsync(Start, TestContext.Current.CancellationToken);

        Assert.Equal(
            expected,
            _docker.Started.IsEmpty ? _oci.Started.IsEmpty ? _development.Started.IsEmpty ? "none" : "development" : "oci" : "docker");
    }

    [Theory]
    [InlineData(RuntimeChoice.Auto)]
    [InlineData(RuntimeChoice.Oci)]
    [InlineData(RuntimeChoice.Docker)]
    public async Task A_function_that_listens_already_needs_no_runtime(RuntimeChoice choice)
    {
        using RuntimeSelector selector = Select(choice, false, false);

        await selector.StartAsync(Start with { DevelopmentTarget = "localhost:1" }, TestContext.Current.CancellationToken);

        Assert.Equal(["function-a"], _development.Started);
        Assert.Equal(0, _searches);
    }

    [Fact]
    public async Task Where_nothing_runs_functions_the_error_tells_what_to_install()
    {
        using RuntimeSelector selector = Select(RuntimeChoice.Auto, false, false);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => selector.StartAsync(Start, TestContext.Current.CancellationToken));

        Assert.Equal("NoRuntime", error.ErrorId);
        Assert.Contains("Install", error.Message, StringComparison.Ordinal);
        Assert.Contains("docker is absent", error.Message, StringComparison.Ordinal);
        Assert.Contains("oci is absent", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_runtime_that_was_asked_for_is_not_replaced_by_another()
    {
        using RuntimeSelector selector = Select(RuntimeChoice.Docker, false, true);

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => selector.StartAsync(Start, TestContext.Current.CancellationToken));

        Assert.Equal("DockerAbsent", error.ErrorId);
    }

    [Fact]
    public async Task The_runtime_is_found_once_and_let_go()
    {
        using (RuntimeSelector selector = Select(RuntimeChoice.Auto, true, true))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => selector.StartAsync(Start, TestContext.Current.CancellationToken)));
        }

        Assert.Equal(1, _searches);
        Assert.True(_docker.IsDisposed);
    }

    private RuntimeSelector Select(RuntimeChoice choice, bool hasDocker, bool hasOci) =>
        new(choice, _development, _ => Find(hasDocker, _docker, "Docker"), _ => Find(hasOci, _oci, "Oci"));

    private Task<IFunctionRuntime> Find(bool isThere, FakeRuntime runtime, string name)
    {
        Interlocked.Increment(ref _searches);
        return isThere
            ? Task.FromResult<IFunctionRuntime>(runtime)
            : throw new FunctionBuildException($"{name}Absent", FaultKind.NotFound, $"{name.ToLowerInvariant()} is absent.");
    }
}
