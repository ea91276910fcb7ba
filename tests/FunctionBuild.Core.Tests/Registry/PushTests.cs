using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Registry;

public sealed class PushTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private FakeRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await FakeRegistry.Start();

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Everything_of_an_image_arrives_and_the_result_tells_of_it()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        PushResult result = await Pushes.Push(_registry.Host, image);

        Pushes.Has(_registry, image);
        Assert.Equal($"{_registry.Host}/acme/function-a:v1", result.Reference);
        Assert.Equal(image.Digest, result.Digest);
        Assert.Equal(image.Images.Select(i => (i.Platform, i.Digest)), result.Images.Select(i => (i.Platform, i.Digest)));
        Assert.Equal((Pushes.BlobsOf(image).Count(), 0, 0), (result.BlobsPushed, result.BlobsMounted, result.BlobsExisting));
        Assert.Equal(Pushes.BlobsOf(image).Sum(b => b.Length), result.BytesSent);
        Assert.Same(image.Workspace, result.Workspace);
    }

    [Fact]
    public async Task The_order_is_blobs_then_manifests_then_the_index_then_the_tag()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        await Pushes.Push(_registry.Host, image);

        List<string> puts = [.. _registry.Requests.Where(r => r.StartsWith("PUT", StringComparison.Ordinal)).Select(r => r[(r.LastIndexOf('/') + 1)..])];
        Assert.All(puts[..^4], p => Assert.Contains("digest=", p, StringComparison.Ordinal));
        Assert.Equal([.. image.Images.Select(i => i.Digest.ToString()), image.Digest.ToString(), Pushes.Tag], puts[^4..]);
    }

    [Fact]
    public async Task The_second_push_asks_for_no_blob_and_sends_none()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        await Pushes.Push(_registry.Host, images);
        int before = _registry.Requests.Count;
        IReadOnlyList<PushOutcome<PushResult>> second = await Pushes.Push(_registry.Host, images);

        Assert.All(_registry.Requests.Skip(before), r => Assert.DoesNotContain("/blobs/", r, StringComparison.Ordinal));
        Assert.All(second, o => Assert.Equal((0, 0, Pushes.BlobsOf(o.Request.Image).Count(), 0L), (o.Value!.BlobsPushed, o.Value.BlobsMounted, o.Value.BlobsExisting, o.Value.BytesSent)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_blob_is_asked_for_twice_where_all_is_new_or_all_is_there(bool mounts)
    {
        _registry.Mounts = mounts;
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b"), await _folder.BuildTwoPlatforms("c")];
        await Pushes.Push(_registry.Host, images);
        IReadOnlyDictionary<string, int> first = _registry.BlobChecks();
        int before = _registry.Requests.Count;
        await Pushes.Push(_registry.Host, images);

        // Where nothing is mounted, each repository has to be asked before anything is sent to it.
        Assert.All(first.Values, c => Assert.InRange(c, 1, mounts ? 1 : images.Length));
        Assert.Empty(_registry.BlobChecks(before));
        Assert.All(images, i => Pushes.Has(_registry, i));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_push_that_broke_off_no_blob_travels_again(bool mounts)
    {
        _registry.Mounts = mounts;
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        await Pushes.Push(_registry.Host, images);
        _registry.LoseManifests();
        int before = _registry.Requests.Count;
        IReadOnlyList<PushOutcome<PushResult>> again = await Pushes.Push(_registry.Host, images);

        Assert.Equal((0, 0L), (again.Sum(o => o.Value!.BlobsPushed), again.Sum(o => o.Value!.BytesSent)));
        Assert.Equal(0, _registry.Requests.Skip(before).Count(r => r.Contains("digest=", StringComparison.Ordinal)));
        Assert.All(_registry.BlobChecks(before).Values, c => Assert.InRange(c, 1, mounts ? 1 : images.Length));
        Assert.Equal(0, _registry.OpenUploads);
        Assert.All(images, i => Pushes.Has(_registry, i));
    }

    [Fact]
    public async Task Of_a_function_that_changed_only_what_is_new_is_asked_for_and_sent()
    {
        FunctionImage first = await _folder.BuildTwoPlatforms("a");
        await Pushes.Push(_registry.Host, first);
        FixtureImage changed = new() { Architecture = "arm64", Layers = [FixtureImage.Layer("shared", 200_000), FixtureImage.Layer("changed", 5_000)] };
        FunctionImage second = await (await _folder.ImportGroup([FunctionBuilds.TwoPlatforms()[0], changed], "function-a")).Build();
        int before = _registry.Requests.Count;
        PushResult result = await Pushes.Push(_registry.Host, second);

        // The image for amd64 is there; of the other one the layer and the config are new.
        Assert.Single(first.Images, i => second.Images.Any(o => o.Digest == i.Digest));
        Assert.Equal((2, 0, Pushes.BlobsOf(second).Count() - 2), (result.BlobsPushed, result.BlobsMounted, result.BlobsExisting));
        Assert.Equal(2, _registry.BlobChecks(before).Count);
        Pushes.Has(_registry, second);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_registry_lost_of_a_manifest_is_sent_again(bool everywhere)
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        await Pushes.Push(_registry.Host, images);
        Digest shared = images[0].Images[0].Layers[0].Descriptor.Digest;
        foreach (FunctionImage image in everywhere ? images : images[..1])
        {
            _registry.Lose(Pushes.RepositoryOf(image), shared);
        }

        var progress = new PushProgress();
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images, progress: progress);

        Assert.All(images, i => Pushes.Has(_registry, i));
        Assert.Equal(images.Sum(i => Pushes.BlobsOf(i).Count()), outcomes.Sum(o => o.Value!.BlobsPushed + o.Value.BlobsMounted + o.Value.BlobsExisting));
        Assert.Equal(1, outcomes.Sum(o => o.Value!.BlobsPushed + (everywhere ? 0 : o.Value.BlobsMounted)));
        Assert.Equal(progress.TotalBytes, progress.BytesDone);
    }

    [Fact]
    public async Task A_registry_that_claims_to_have_a_manifest_gets_what_it_lacks()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        _registry.Faults = r => r.Method == "HEAD" && r.Path.Value!.Contains("/manifests/", StringComparison.Ordinal) ? new Fault(FaultType.Status, 200) : null;
        PushResult result = await Pushes.Push(_registry.Host, image);

        Pushes.Has(_registry, image);
        Assert.Equal((Pushes.BlobsOf(image).Count(), 0, 0), (result.BlobsPushed, result.BlobsMounted, result.BlobsExisting));
    }

    [Theory]
    [InlineData(403)]
    [InlineData(405)]
    public async Task A_registry_need_not_list_tags(int status)
    {
        _registry.Faults = r => r.Path.Value!.EndsWith("/tags/list", StringComparison.Ordinal) ? new Fault(FaultType.Status, status) : null;
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        await Pushes.Push(_registry.Host, images);
        Assert.All(images, i => Pushes.Has(_registry, i));
    }

    [Fact]
    public async Task A_blob_that_functions_share_is_sent_once_and_mounted_elsewhere()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b"), await _folder.BuildTwoPlatforms("c")];
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images);

        Assert.All(images, i => Pushes.Has(_registry, i));
        List<Digest> distinct = [.. images.SelectMany(Pushes.BlobsOf).Select(b => b.Digest).Distinct()];
        Assert.Equal(distinct.Count, _registry.Count("PUT", "digest="));
        Assert.Equal(distinct.Count, outcomes.Sum(o => o.Value!.BlobsPushed));
        Assert.Equal(images.Sum(i => Pushes.BlobsOf(i).Count()) - distinct.Count, outcomes.Sum(o => o.Value!.BlobsMounted));
    }

    [Fact]
    public async Task Functions_of_one_repository_send_a_shared_blob_once()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await ImagePusher.PushAsync(
            [.. images.Select(i => new PushRequest(i, [i.Name]) { Repository = $"{_registry.Host}/all" })],
            new PushOptions { Registry = Pushes.Quick },
            null,
            TestContext.Current.CancellationToken);

        Assert.All(outcomes, o => Assert.Null(o.Error));
        Assert.Equal(["all:function-a", "all:function-b"], _registry.Tags);
        Assert.Equal(images.SelectMany(Pushes.BlobsOf).DistinctBy(b => b.Digest).Count(), _registry.Count("PUT", "digest="));
        Assert.Distinct(_registry.Requests.Where(r => r.StartsWith("HEAD", StringComparison.Ordinal)));
        Assert.Equal(0, _registry.Count("POST", "mount="));
    }

    [Fact]
    public async Task A_registry_that_does_not_mount_gets_the_blob_sent()
    {
        _registry.Mounts = false;
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images);

        Assert.All(images, i => Pushes.Has(_registry, i));
        Assert.Equal(0, outcomes.Sum(o => o.Value!.BlobsMounted));
    }

    [Fact]
    public async Task A_registry_that_refuses_to_mount_gets_the_blob_sent()
    {
        _registry.Faults = r => r.Query.ContainsKey("mount") ? new Fault(FaultType.Status, 403) : null;
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        await Pushes.Push(_registry.Host, images);
        Assert.All(images, i => Pushes.Has(_registry, i));
    }

    [Fact]
    public async Task A_large_blob_goes_in_chunks()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        PushResult result = await Pushes.Push(_registry.Host, image, Pushes.Quick with { ChunkThreshold = 100_000, ChunkSize = 60_000 });

        Pushes.Has(_registry, image);
        Assert.Equal(4, _registry.Count("PATCH", "/blobs/uploads/"));
        Assert.Equal(Pushes.BlobsOf(image).Sum(b => b.Length), result.BytesSent);
    }

    [Fact]
    public async Task A_registry_that_asks_for_chunks_gets_them_no_smaller_than_it_asks_for()
    {
        _registry.SmallestChunk = 150_000;
        FunctionImage image = await _folder.BuildTwoPlatforms();
        await Pushes.Push(_registry.Host, image, Pushes.Quick with { ChunkSize = 10 });

        Pushes.Has(_registry, image);
        Assert.Equal(Pushes.BlobsOf(image).Sum(b => (b.Length + 149_999) / 150_000), _registry.Count("PATCH", "/blobs/uploads/"));
    }

    [Fact]
    public async Task A_registry_that_takes_no_large_bodies_gets_chunks()
    {
        _registry.LargestBody = 60_000;
        FunctionImage image = await _folder.BuildTwoPlatforms();
        await Pushes.Push(_registry.Host, image, Pushes.Quick with { ChunkSize = 50_000 });
        Pushes.Has(_registry, image);
    }

    [Theory]
    [InlineData("http://{host}{path}?_state=a%3Db&c=d", "?_state=a%3Db&c=d&digest=")]
    [InlineData("{path}?_state=x", "?_state=x&digest=")]
    [InlineData("{path}", "?digest=")]
    public async Task The_place_of_an_upload_may_be_absolute_or_relative_and_have_parameters(string place, string expected)
    {
        _registry.Place = path => place.Replace("{host}", _registry.Host, StringComparison.Ordinal).Replace("{path}", path, StringComparison.Ordinal);
        FunctionImage image = await _folder.BuildTwoPlatforms();
        await Pushes.Push(_registry.Host, image);

        Pushes.Has(_registry, image);
        Assert.Equal(Pushes.BlobsOf(image).Count(), _registry.Count("PUT", expected));
    }

    [Fact]
    public async Task A_registry_need_not_tell_digests()
    {
        _registry.TellsDigests = false;
        FunctionImage image = await _folder.BuildTwoPlatforms();
        await Pushes.Push(_registry.Host, image);
        Pushes.Has(_registry, image);
    }

    [Fact]
    public async Task A_push_can_have_several_tags_or_none()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        foreach (string[] tags in new string[][] { [], ["v1", "latest"] })
        {
            PushOutcome<PushResult> outcome = Assert.Single(await ImagePusher.PushAsync([Pushes.Request(_registry.Host, image) with { Tags = tags }], new PushOptions { Registry = Pushes.Quick }, null, TestContext.Current.CancellationToken));
            Assert.Equal(tags.Select(t => $"{_registry.Host}/acme/function-a:{t}"), outcome.Value!.References);
            Assert.Equal(tags.Order().Select(t => $"acme/function-a:{t}"), _registry.Tags);
        }
    }

    [Fact]
    public async Task Progress_counts_what_is_to_be_sent_and_what_was()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        await Pushes.Push(_registry.Host, images[0]);
        var progress = new PushProgress();
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images, progress: progress);

        Assert.Equal(["function-a", "function-b"], progress.Functions.Select(f => f.Name));
        Assert.Equal(outcomes.Select(o => o.Value!.BytesSent), progress.Functions.Select(f => f.TotalBytes));
        Assert.Equal(progress.TotalBytes, progress.BytesDone);
        Assert.NotEqual(0, progress.TotalBytes);
    }

    [Fact]
    public async Task Two_images_cannot_have_one_reference()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => ImagePusher.PushAsync(
            [.. images.Select(i => new PushRequest(i, ["v1"]) { Repository = $"{_registry.Host}/all" })],
            new PushOptions { Registry = Pushes.Quick },
            null,
            TestContext.Current.CancellationToken));
        Assert.Equal("DuplicateReference", error.ErrorId);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public async Task A_function_that_fails_leaves_the_others_alone()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        _registry.Faults = r => r.Path.Value!.Contains("function-a/", StringComparison.Ordinal) ? new Fault(FaultType.Status, 403) : null;
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images);

        Assert.Equal("RegistryDenied", outcomes[0].Error?.ErrorId);
        Assert.Null(outcomes[1].Error);
        Assert.Equal(["acme/function-b:v1"], _registry.Tags);
    }

    [Fact]
    public async Task A_plan_tells_what_would_travel_and_changes_nothing()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b"), await _folder.BuildTwoPlatforms("c")];
        await Pushes.Push(_registry.Host, images[0]);
        int before = _registry.Requests.Count;
        IReadOnlyList<PushOutcome<PushPlan>> plans = await ImagePusher.PlanAsync([.. images.Select(i => Pushes.Request(_registry.Host, i))], new PushOptions { Registry = Pushes.Quick }, TestContext.Current.CancellationToken);

        Assert.All(_registry.Requests.Skip(before), r => Assert.True(r.StartsWith("HEAD", StringComparison.Ordinal) || r == "GET /v2/", r));
        Assert.Equal([TagChange.Stays, TagChange.New, TagChange.New], plans.Select(p => Assert.Single(p.Value!.Tags).Change));
        Assert.Equal([0L, Pushes.BlobsOf(images[1]).Sum(b => b.Length)], plans.Take(2).Select(p => p.Value!.BytesMissing));
        IEnumerable<int> Shared(int i) => [Pushes.BlobsOf(images[i]).Count(b => images[..i].SelectMany(Pushes.BlobsOf).Any(o => o.Digest == b.Digest))];
        Assert.Equal([0, .. Shared(1), .. Shared(2)], plans.Select(p => p.Value!.Mountable));
    }

    [Fact]
    public async Task A_plan_tells_that_a_tag_would_move()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        await Pushes.Push(_registry.Host, images[0]);
        PushRequest request = Pushes.Request(_registry.Host, images[1]) with { Repository = $"{_registry.Host}/{Pushes.RepositoryOf(images[0])}" };
        PushOutcome<PushPlan> plan = Assert.Single(await ImagePusher.PlanAsync([request], new PushOptions { Registry = Pushes.Quick }, TestContext.Current.CancellationToken));

        PlannedTag tag = Assert.Single(plan.Value!.Tags);
        Assert.Equal((TagChange.Moves, images[0].Digest), (tag.Change, tag.Current));
    }

    [Fact]
    public async Task A_cancelled_push_tags_nothing()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        using var stop = new CancellationTokenSource();
        _registry.Faults = r =>
        {
            if (r.Method == "PUT" && r.Path.Value!.Contains("/manifests/", StringComparison.Ordinal))
            {
                stop.Cancel();
            }

            return null;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ImagePusher.PushAsync([.. images.Select(i => Pushes.Request(_registry.Host, i))], new PushOptions { Registry = Pushes.Quick }, null, stop.Token));
        Assert.Empty(_registry.Tags);
    }

    [Fact]
    public async Task A_push_that_waits_for_a_silent_registry_can_be_cancelled()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        using var stop = new CancellationTokenSource();
        _registry.Faults = r =>
        {
            if (r.Method != "PUT")
            {
                return null;
            }

            stop.Cancel();
            return new Fault(FaultType.Stall);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ImagePusher.PushAsync([Pushes.Request(_registry.Host, image)], new PushOptions { Registry = Pushes.Quick }, null, stop.Token));
        Assert.Empty(_registry.Tags);
    }

    [Fact]
    public async Task A_workspace_that_is_removed_under_the_push_is_the_error_of_its_functions_alone()
    {
        using var other = new TestFolder();
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await other.BuildTwoPlatforms("b")];
        _registry.Faults = r =>
        {
            if (r.Method != "PUT" || !r.Path.Value!.Contains("function-a/", StringComparison.Ordinal))
            {
                return null;
            }

            Task.Run(images[0].Workspace.Dispose);
            return new Fault(FaultType.Stall);
        };
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images);

        Assert.Equal("WorkspaceRemoved", outcomes[0].Error?.ErrorId);
        Assert.Null(outcomes[1].Error);
        Assert.Equal(["acme/function-b:v1"], _registry.Tags);
        Pushes.Has(_registry, images[1]);
    }

    [Fact]
    public async Task A_workspace_that_was_removed_before_the_push_is_the_error_of_its_functions_alone()
    {
        using var other = new TestFolder();
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await other.BuildTwoPlatforms("b")];
        images[0].Workspace.Dispose();
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(_registry.Host, images);

        Assert.Equal(["WorkspaceRemoved", null], outcomes.Select(o => o.Error?.ErrorId));
        Assert.Equal(["acme/function-b:v1"], _registry.Tags);
    }

    [Fact]
    public async Task A_function_brings_the_blob_itself_that_another_one_of_its_repository_could_not()
    {
        using var other = new TestFolder();
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await other.BuildTwoPlatforms("a")];
        int puts = 0;
        _registry.Faults = r =>
        {
            if (r.Method != "PUT" || Interlocked.Increment(ref puts) > 1)
            {
                return null;
            }

            Task.Run(images[0].Workspace.Dispose);
            return new Fault(FaultType.Stall);
        };
        IReadOnlyList<PushOutcome<PushResult>> outcomes = await ImagePusher.PushAsync(
            [.. images.Select((i, n) => Pushes.Request(_registry.Host, i) with { Tags = [$"{Pushes.Tag}-{n}"] })],
            new PushOptions { Registry = Pushes.Quick with { StallTimeout = TimeSpan.FromSeconds(2) }, ThrottleLimit = 4 },
            null,
            TestContext.Current.CancellationToken);

        Assert.Equal(["WorkspaceRemoved", null], outcomes.Select(o => o.Error?.ErrorId));
        Assert.Equal([$"{Pushes.RepositoryOf(images[1])}:{Pushes.Tag}-1"], _registry.Tags);
    }

    [Fact]
    public async Task A_blob_that_changed_on_disk_does_not_arrive()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();
        Core.Content.Blob layer = image.Images[0].Layers[0].Blob;
        byte[] content = await File.ReadAllBytesAsync(layer.FilePath, TestContext.Current.CancellationToken);
        content[^1] ^= 1;
        await File.WriteAllBytesAsync(layer.FilePath, content, TestContext.Current.CancellationToken);

        await Pushes.Fails(_registry, image, "BlobChanged");
        Assert.Null(_registry.Blob(Pushes.RepositoryOf(image), layer.Digest));
    }
}
