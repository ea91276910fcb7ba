using System.Collections.Concurrent;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Tests.Fixtures;
using Microsoft.AspNetCore.Http;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>What a bad network and a bad registry do.</summary>
public sealed class FaultyRegistryTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private FakeRegistry _registry = null!;
    private FunctionImage _image = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await FakeRegistry.Start();
        _image = await _folder.BuildTwoPlatforms();
    }

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_burst_of_failures_that_pass_does_not_matter(int status)
    {
        FirstOfEach(3, r => new Fault(FaultType.Status, status));
        var reports = new ConcurrentQueue<string>();
        await Pushes.Push(_registry.Host, _image, Pushes.Quick with { Report = reports.Enqueue });

        Pushes.Has(_registry, _image);
        Assert.Contains(reports, r => r.Contains($"{status}", StringComparison.Ordinal) && r.Contains("Trying again in", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("HEAD", 400)]
    [InlineData("POST", 403)]
    [InlineData("PUT", 400)]
    [InlineData("PUT", 409)]
    public async Task A_refusal_is_not_tried_again(string method, int status)
    {
        _registry.Faults = r => r.Method == method ? new Fault(FaultType.Status, status) : null;
        await Pushes.Fails(_registry, _image, status == 403 ? "RegistryDenied" : "RegistryRequestFailed");
        Assert.Distinct(_registry.Requests.Where(r => r.StartsWith(method, StringComparison.Ordinal) && !r.Contains("uploads", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_registry_that_stays_away_is_given_up_after_a_bounded_number_of_attempts()
    {
        _registry.Faults = r => r.Method == "POST" ? new Fault(FaultType.Status, 503, Body: FakeRegistry.Error("UNAVAILABLE", "down for\u001b[31m repair")) : null;
        FunctionBuildException error = await Pushes.Fails(_registry, _image, "RegistryUnavailable", Pushes.Quick with { MaximumRetries = 2 });

        Assert.Contains("down for [31m repair", error.Message, StringComparison.Ordinal);
        Assert.Contains("Tried 3 times", error.Message, StringComparison.Ordinal);
        Assert.InRange(_registry.Count("POST", "/blobs/uploads/"), 3, 3 * Pushes.BlobsOf(_image).Count());
    }

    [Fact]
    public async Task The_wait_that_the_registry_asks_for_is_kept()
    {
        FirstOfEach(1, r => r.Method == "PUT" && r.Path.Value!.EndsWith(Pushes.Tag, StringComparison.Ordinal) ? new Fault(FaultType.Status, 429, "1") : null);
        var reports = new ConcurrentQueue<string>();
        await Pushes.Push(_registry.Host, _image, Pushes.Quick with { Report = reports.Enqueue });

        Pushes.Has(_registry, _image);
        Assert.Contains(reports, r => r.Contains("Trying again in 1.0 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wait_longer_than_is_worth_it_is_an_error_at_once()
    {
        _registry.Faults = r => r.Method == "HEAD" ? new Fault(FaultType.Status, 429, "3600") : null;
        FunctionBuildException error = await Pushes.Fails(_registry, _image, "RegistryThrottled");

        Assert.Contains("3,600 seconds", error.Message, StringComparison.Ordinal);
        Assert.Distinct(_registry.Requests);
    }

    [Theory]
    [InlineData(FaultType.CutBefore)]
    [InlineData(FaultType.CutWithin)]
    [InlineData(FaultType.CutAfter)]
    [InlineData(FaultType.LoseUpload)]
    public async Task A_connection_that_breaks_off_does_not_matter(object type)
    {
        FirstOfEach(2, r => new Fault((FaultType)type));
        await Pushes.Push(_registry.Host, _image, Pushes.Quick with { ChunkThreshold = 100_000, ChunkSize = 70_000 });
        Pushes.Has(_registry, _image);
    }

    [Fact]
    public async Task An_upload_that_broke_off_goes_on_where_the_registry_got_to()
    {
        FirstOfEach(1, r => r.Method == "PUT" && r.ContentLength > 100_000 ? new Fault(FaultType.CutWithin) : null);
        PushResult result = await Pushes.Push(_registry.Host, _image);

        Pushes.Has(_registry, _image);
        long large = Pushes.BlobsOf(_image).Max(b => b.Length);
        Assert.Equal(1, _registry.Count("PATCH", "/blobs/uploads/"));
        Assert.Equal(Pushes.BlobsOf(_image).Count(), _registry.Count("POST", "/blobs/uploads/"));
        Assert.True(result.BytesSent < Pushes.BlobsOf(_image).Sum(b => b.Length) + large, "All of it was sent twice.");
    }

    [Fact]
    public async Task An_upload_whose_offset_the_registry_does_not_tell_begins_anew()
    {
        _registry.TellsRanges = false;
        FirstOfEach(1, r => r.Method == "PUT" && r.ContentLength > 100_000 ? new Fault(FaultType.CutWithin) : null);
        await Pushes.Push(_registry.Host, _image);

        Pushes.Has(_registry, _image);
        Assert.Equal(Pushes.BlobsOf(_image).Count() + 1, _registry.Count("POST", "/blobs/uploads/"));
    }

    [Fact]
    public async Task A_registry_that_kept_something_else_gets_it_anew()
    {
        bool spoilt = false;
        FirstOfEach(1, r => r.Method == "PUT" && r.ContentLength > 100_000 ? new Fault(FaultType.CutWithin) : null);
        _registry.Spoil = content =>
        {
            bool now = !spoilt && content.Length > 100_000;
            spoilt |= now;
            return now;
        };
        await Pushes.Push(_registry.Host, _image);

        Assert.True(spoilt);
        Pushes.Has(_registry, _image);
    }

    [Fact]
    public async Task A_completion_whose_answer_was_lost_is_noticed()
    {
        FirstOfEach(1, r => r.Method == "PUT" && r.Query.ContainsKey("digest") ? new Fault(FaultType.CutAfter) : null);
        PushResult result = await Pushes.Push(_registry.Host, _image);

        Pushes.Has(_registry, _image);
        Assert.Equal(Pushes.BlobsOf(_image).Sum(b => b.Length), result.BytesSent);
    }

    [Fact]
    public async Task A_silent_connection_is_given_up_and_tried_again()
    {
        FirstOfEach(1, r => r.Method == "PUT" && r.Path.Value!.EndsWith(Pushes.Tag, StringComparison.Ordinal) ? new Fault(FaultType.Stall) : null);
        await Pushes.Push(_registry.Host, _image, Pushes.Quick with { ResponseTimeout = TimeSpan.FromSeconds(1) });
        Pushes.Has(_registry, _image);
    }

    [Fact]
    public async Task A_body_that_is_not_taken_is_given_up()
    {
        // Larger than what the two sockets' buffers hold.
        FunctionImage image = await (await _folder.ImportGroup([new FixtureImage { Layers = [FixtureImage.Layer("large", 24_000_000)] }], "function-large")).Build();
        FirstOfEach(1, r => r.ContentLength > 10_000_000 ? new Fault(FaultType.Stall) : null);
        await Pushes.Push(_registry.Host, image, Pushes.Quick with { StallTimeout = TimeSpan.FromSeconds(2) });
        Pushes.Has(_registry, image);
    }

    [Fact]
    public async Task A_registry_that_takes_chunks_and_keeps_none_is_an_error()
    {
        _registry.KeepsChunks = false;
        await Pushes.Fails(_registry, _image, "RegistryMalformedAnswer", Pushes.Quick with { ChunkThreshold = 100_000 });
    }

    [Fact]
    public async Task A_registry_that_loses_every_upload_is_an_error()
    {
        _registry.Faults = r => r.Method == "PUT" && r.Query.ContainsKey("digest") ? new Fault(FaultType.LoseUpload) : null;
        await Pushes.Fails(_registry, _image, "BlobRejected");
    }

    [Fact]
    public async Task A_place_that_is_not_told_is_an_error()
    {
        _registry.Place = _ => null;
        FunctionBuildException error = await Pushes.Fails(_registry, _image, "RegistryMalformedAnswer");
        Assert.Contains("no Location", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "InsecureRegistry")]
    [InlineData(true, "RegistryUnavailable")]
    public async Task A_place_without_tls_on_another_machine_is_gone_to_only_when_that_is_allowed(bool allowed, string errorId)
    {
        // A name that leads nowhere: what is allowed ends there, too.
        _registry.Place = path => $"http://registry.invalid{path}";
        await Pushes.Fails(_registry, _image, errorId, Pushes.Quick with { AllowInsecure = allowed });
    }

    [Fact]
    public async Task A_registry_that_tells_another_digest_is_an_error()
    {
        _registry.ToldDigest = d => d.Replace('0', '1');
        await Pushes.Fails(_registry, _image, "RegistryDigestMismatch");
    }

    [Fact]
    public async Task Something_that_is_no_registry_is_an_error()
    {
        _registry.Faults = _ => new Fault(FaultType.Status, 404);
        await Pushes.Fails(_registry, _image, "NotARegistry");
    }

    [Fact]
    public async Task A_host_that_does_not_listen_is_an_error()
    {
        PushOutcome<PushResult> outcome = Assert.Single(await Pushes.Push("127.0.0.1:1", [_image], Pushes.Quick with { MaximumRetries = 1 }));
        Assert.Equal("RegistryUnavailable", outcome.Error!.ErrorId);
        Assert.Equal(FaultKind.Connection, outcome.Error.Kind);
        Assert.Contains("127.0.0.1:1", outcome.Error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UNAUTHORIZED", 401, "RegistryUnauthorized")]
    [InlineData("DENIED", 403, "RegistryDenied")]
    [InlineData("NAME_UNKNOWN", 404, "RegistryNameUnknown")]
    [InlineData("NAME_INVALID", 400, "RegistryNameInvalid")]
    [InlineData("UNSUPPORTED", 405, "RegistryUnsupported")]
    [InlineData("TOOMANYREQUESTS", 429, "RegistryThrottled")]
    [InlineData("BLOB_UPLOAD_INVALID", 400, "BlobRejected")]
    [InlineData("MANIFEST_INVALID", 400, "ManifestRejected")]
    [InlineData("TAG_INVALID", 400, "TagRejected")]
    public async Task What_the_registry_says_is_in_the_error(string code, int status, string errorId)
    {
        string method = code.StartsWith("MANIFEST", StringComparison.Ordinal) || code.StartsWith("TAG", StringComparison.Ordinal) ? "PUT /v2/acme/function-a/manifests" : "POST";
        _registry.Faults = r => $"{r.Method} {r.Path}".StartsWith(method, StringComparison.Ordinal) ? new Fault(FaultType.Status, status, Body: FakeRegistry.Error(code, "because of the weather")) : null;
        FunctionBuildException error = await Pushes.Fails(_registry, _image, errorId, Pushes.Quick with { MaximumRetries = 1 });

        Assert.Contains($"{status}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{code}: because of the weather", error.Message, StringComparison.Ordinal);
        Assert.Equal(code, Assert.IsType<RegistryException>(error).Code);
    }

    private void FirstOfEach(int times, Func<HttpRequest, Fault?> fault)
    {
        var seen = new ConcurrentDictionary<string, int>();
        _registry.Faults = r => r.Path.Value == "/v2/" ? null : fault(r) is { } f && seen.AddOrUpdate($"{r.Method} {KeyOf(r)}", 1, (_, n) => n + 1) <= times ? f : null;

        // An upload that is begun anew has another place, and so would never come to an end.
        static string KeyOf(HttpRequest request) => request.Query.TryGetValue("digest", out Microsoft.Extensions.Primitives.StringValues digest) ? digest.ToString() : request.Path.Value!.Split("/u")[0];
    }
}
