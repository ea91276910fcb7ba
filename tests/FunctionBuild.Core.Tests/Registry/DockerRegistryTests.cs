using System.Net;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>Pushes to a real registry; what is there is read back by a real client.</summary>
public sealed class DockerRegistryTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ManifestKind.Docker, Compression.Gzip)]
    [InlineData(ManifestKind.Oci, Compression.Zstd)]
    [InlineData(ManifestKind.Oci, Compression.None)]
    public async Task Skopeo_reads_back_what_was_pushed(ManifestKind kind, Compression compression)
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms(options: new BuildOptions { MediaType = kind, Compression = compression });
        PushResult result = await Pushes.Push(registry.Host, image);

        Assert.Equal(Pushes.BlobsOf(image).Count(), result.BlobsPushed);
        string name = $"docker://{result.Reference}";
        Assert.Equal(Pushes.Bytes(image.Index), await Tool.Run("skopeo", "inspect", "--tls-verify=false", "--raw", name));
        foreach (PlatformImage platform in image.Images)
        {
            Assert.Equal(Pushes.Bytes(platform.Manifest), await Tool.Run("skopeo", "inspect", "--tls-verify=false", "--raw", $"docker://{registry.Host}/{Pushes.RepositoryOf(image)}@{platform.Digest}"));
        }

        string copy = _folder.Combine("copy");
        await Tool.Run("skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests", "--src-tls-verify=false", name, $"dir:{copy}");
        Assert.All(Pushes.BlobsOf(image), b => Assert.Equal(Pushes.Bytes(b), File.ReadAllBytes(Path.Combine(copy, b.Digest.Hex))));
    }

    [Fact]
    public async Task Skopeo_copies_what_was_pushed_to_a_layout_with_the_same_digests()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms(options: new BuildOptions { MediaType = ManifestKind.Oci });
        PushResult result = await Pushes.Push(registry.Host, image);

        string layout = _folder.Combine("layout");
        await Tool.Run("skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests", "--src-tls-verify=false", $"docker://{result.Reference}", $"oci:{layout}:x");
        IEnumerable<Blob> everything = Pushes.BlobsOf(image).Concat(image.Images.Select(i => i.Manifest)).Append(image.Index);
        Assert.All(everything, b => Assert.Equal(Pushes.Bytes(b), File.ReadAllBytes(Path.Combine(layout, "blobs", "sha256", b.Digest.Hex))));
    }

    [Fact]
    public async Task Shared_blobs_are_mounted_and_a_second_push_sends_nothing()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder);
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        IReadOnlyList<PushOutcome<PushResult>> first = await Pushes.Push(registry.Host, images);
        IReadOnlyList<PushOutcome<PushResult>> second = await Pushes.Push(registry.Host, images);

        Assert.All(first.Concat(second), o => Assert.Null(o.Error));
        int distinct = images.SelectMany(Pushes.BlobsOf).DistinctBy(b => b.Digest).Count();
        Assert.Equal(distinct, first.Sum(o => o.Value!.BlobsPushed));
        Assert.Equal(images.Sum(i => Pushes.BlobsOf(i).Count()) - distinct, first.Sum(o => o.Value!.BlobsMounted));
        Assert.Equal((0, 0, 0L), (second.Sum(o => o.Value!.BlobsPushed), second.Sum(o => o.Value!.BlobsMounted), second.Sum(o => o.Value!.BytesSent)));
    }

    [Fact]
    public async Task Chunks_add_up_to_the_blob()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        PushResult result = await Pushes.Push(registry.Host, image, Pushes.Quick with { ChunkThreshold = 1000, ChunkSize = 30_000 });

        Assert.Equal(Pushes.BlobsOf(image).Sum(b => b.Length), result.BytesSent);
        Assert.Equal(Pushes.BlobsOf(image).Count(), (await Pushes.Push(registry.Host, image)).BlobsExisting);
    }

    [Fact]
    public async Task An_upload_that_broke_off_arrives_all_the_same()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder);
        await using CuttingProxy proxy = CuttingProxy.Start(registry.Host, cutAfter: 150_000);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        PushResult result = await Pushes.Push(proxy.Host, image);

        Assert.True(proxy.WasCut);
        Assert.True(result.BytesSent > Pushes.BlobsOf(image).Sum(b => b.Length));
        Assert.Equal(Pushes.BlobsOf(image).Count(), (await Pushes.Push(registry.Host, image)).BlobsExisting);
        Assert.Equal(Pushes.Bytes(image.Index), await Tool.Run("skopeo", "inspect", "--tls-verify=false", "--raw", $"docker://{registry.Host}/{Pushes.RepositoryOf(image)}:{Pushes.Tag}"));
    }

    [Fact]
    public async Task A_blob_that_was_deleted_is_sent_again()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        await Pushes.Push(registry.Host, image);
        Digest layer = image.Images[0].Layers[0].Descriptor.Digest;
        using var http = new HttpClient();
        using HttpResponseMessage answer = await http.DeleteAsync(new Uri($"http://{registry.Host}/v2/{Pushes.RepositoryOf(image)}/blobs/{layer}"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);

        Assert.Equal(1, (await Pushes.Push(registry.Host, image)).BlobsPushed);
        Assert.Equal(0, (await Pushes.Push(registry.Host, image)).BlobsPushed);
    }

    [Fact]
    public async Task A_registry_with_users_takes_those_it_knows()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder, users: await DockerRegistry.WriteUsers(_folder, "ann", "s3cret"));
        FunctionImage image = await _folder.BuildTwoPlatforms();

        Assert.Equal("RegistryUnauthorized", Assert.Single(await Pushes.Push(registry.Host, [image])).Error?.ErrorId);
        Assert.Equal("RegistryUnauthorized", Assert.Single(await Pushes.Push(registry.Host, [image], As("ann", "wrong"))).Error?.ErrorId);
        await Pushes.Push(registry.Host, image, As("ann", "s3cret"));
        Assert.Equal(Pushes.Bytes(image.Index), await Tool.Run("skopeo", "inspect", "--tls-verify=false", "--creds", "ann:s3cret", "--raw", $"docker://{registry.Host}/{Pushes.RepositoryOf(image)}:{Pushes.Tag}"));

        static RegistryOptions As(string user, string password) => Pushes.Quick with { Credential = RegistryCredential.ForUser(user, password) };
    }

    [Fact]
    public async Task What_skopeo_logged_in_with_is_found()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder, users: await DockerRegistry.WriteUsers(_folder, "ann", "s3cret"));
        string file = _folder.Combine("auth.json");
        await Tool.Run("skopeo", "login", "--tls-verify=false", "--authfile", file, "--username", "ann", "--password", "s3cret", registry.Host);

        var environment = new CredentialEnvironment(name => name == "REGISTRY_AUTH_FILE" ? file : null, _folder.Path);
        await Pushes.Push(registry.Host, await _folder.BuildTwoPlatforms(), Pushes.Quick with { Environment = environment });
    }

    [Fact]
    public async Task A_registry_with_a_certificate_of_a_private_authority_is_reached()
    {
        using var authority = new ThrowAwayAuthority();
        await using DockerRegistry registry = await DockerRegistry.Start(_folder, certificate: authority.Issue(IPAddress.Loopback));
        FunctionImage image = await _folder.BuildTwoPlatforms();

        Assert.Equal("RegistryCertificateInvalid", Assert.Single(await Pushes.Push(registry.Host, [image])).Error?.ErrorId);
        await Pushes.Push(registry.Host, image, Pushes.Quick with { CertificateAuthorities = [authority.Certificate] });
        Assert.Equal(Pushes.BlobsOf(image).Count(), (await Pushes.Push(registry.Host, image, Pushes.Quick with { SkipCertificateCheck = true })).BlobsExisting);
    }

    [Fact]
    public async Task A_registry_that_is_read_only_says_so()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder, readOnly: true);
        FunctionBuildException? error = Assert.Single(await Pushes.Push(registry.Host, [await _folder.BuildTwoPlatforms()])).Error;
        Assert.Equal("RegistryUnsupported", error?.ErrorId);
        Assert.Contains("read-only", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_is_what_the_push_then_does()
    {
        await using DockerRegistry registry = await DockerRegistry.Start(_folder);
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        IReadOnlyList<PushOutcome<PushPlan>> plans = await ImagePusher.PlanAsync([.. images.Select(i => Pushes.Request(registry.Host, i))], new PushOptions { Registry = Pushes.Quick }, TestContext.Current.CancellationToken);
        IReadOnlyList<PushOutcome<PushResult>> results = await Pushes.Push(registry.Host, images);

        Assert.Equal(plans.Sum(p => p.Value!.Missing.Count), results.Sum(r => r.Value!.BlobsPushed + r.Value!.BlobsMounted));
        Assert.Equal(plans.Sum(p => p.Value!.Mountable), results.Sum(r => r.Value!.BlobsMounted));
    }
}
