using FunctionBuild.Core.Content;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>Pushes to registries of tests, and what must hold afterwards.</summary>
internal static class Pushes
{
    public const string Tag = "v1";

    /// <summary>Looks for credentials nowhere, and waits hardly at all.</summary>
    public static RegistryOptions Quick { get; } = new()
    {
        RetryDelay = TimeSpan.FromMilliseconds(1),
        Environment = new CredentialEnvironment(_ => null, Path.Combine(Path.GetTempPath(), "no-such-home")),
    };

    public static async Task<IReadOnlyList<PushOutcome<PushResult>>> Push(string host, IEnumerable<FunctionImage> images, RegistryOptions? options = null, PushProgress? progress = null) =>
        await ImagePusher.PushAsync([.. images.Select(i => Request(host, i))], new PushOptions { Registry = options ?? Quick }, progress, TestContext.Current.CancellationToken);

    public static async Task<PushResult> Push(string host, FunctionImage image, RegistryOptions? options = null)
    {
        PushOutcome<PushResult> outcome = Assert.Single(await Push(host, [image], options));
        Assert.True(outcome.Error is null, outcome.Error?.ToString());
        return outcome.Value!;
    }

    /// <summary>A push that must fail, and tag nothing.</summary>
    public static async Task<FunctionBuildException> Fails(FakeRegistry registry, FunctionImage image, string errorId, RegistryOptions? options = null)
    {
        PushOutcome<PushResult> outcome = Assert.Single(await Push(registry.Host, [image], options));
        Assert.NotNull(outcome.Error);
        Assert.Equal(errorId, outcome.Error.ErrorId);
        Assert.Empty(registry.Tags);
        return outcome.Error;
    }

    public static PushRequest Request(string host, FunctionImage image) => new(image, [Tag]) { Repository = $"{host}/{RepositoryOf(image)}" };

    public static string RepositoryOf(FunctionImage image) => $"acme/{image.Name}";

    public static IEnumerable<Blob> BlobsOf(FunctionImage image) =>
        image.Images.SelectMany(i => i.Layers.Select(l => l.Blob).Append(i.Config)).DistinctBy(b => b.Digest);

    /// <summary>The registry has every byte of an image, and the tag points at its index.</summary>
    public static void Has(FakeRegistry registry, FunctionImage image)
    {
        string repository = RepositoryOf(image);
        Assert.Equal(Bytes(image.Index), registry.Manifest(repository, Tag));
        Assert.Equal(Bytes(image.Index), registry.Manifest(repository, image.Digest.ToString()));
        Assert.All(image.Images, i => Assert.Equal(Bytes(i.Manifest), registry.Manifest(repository, i.Digest.ToString())));
        Assert.All(BlobsOf(image), b => Assert.Equal(Bytes(b), registry.Blob(repository, b.Digest)));
    }

    public static byte[] Bytes(Blob blob)
    {
        using Stream stream = blob.OpenRead();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
