using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Tests.Fixtures;

/// <summary><c>tests/functions/faulty</c> as an image tarball, made when a test first asks for it.</summary>
public sealed class FaultyFunction : IAsyncDisposable
{
    public const string Name = "function-faulty";

    private readonly TestFolder _folder = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Lazy<Task<string>> _tarball;

    public FaultyFunction() => _tarball = new Lazy<Task<string>>(
        () => FunctionPacker.PackAsync(Path.Combine("tests", "functions", "faulty"), Name, _folder, _end.Token));

    /// <summary>The tarball. Skips the test where it cannot be made.</summary>
    public async Task<string> GetTarballAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image's shared libraries are taken from a Linux machine.");
        return await _tarball.Value.WaitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_tarball.IsValueCreated)
        {
            await _tarball.Value.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        _end.Dispose();
        _folder.Dispose();
    }
}
