using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Tests.Fixtures;
using Microsoft.AspNetCore.Http;

namespace FunctionBuild.Core.Tests.Registry;

/// <summary>Whatever goes wrong and when: a push ends with everything in its place, or with a clear error and no tag.</summary>
public sealed class RandomFaultTests : IDisposable
{
    private const int Runs = 50;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fifty_pushes_through_random_faults_end_right_or_with_an_error_and_no_tag()
    {
        FunctionImage[] images = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        int right = 0;
        for (int seed = 0; seed < Runs; seed++)
        {
            right += await Run(seed, images);
        }

        // Both ends must have been seen, or the faults are too rare or too many to tell anything.
        Assert.InRange(right, Runs / 2, (Runs * images.Length) - 1);
    }

    private static async Task<int> Run(int seed, FunctionImage[] images)
    {
        await using FakeRegistry registry = await FakeRegistry.Start();
        var random = new Random(seed);
        var gate = new Lock();
        double rate = random.NextDouble() * 0.6;
        registry.Mounts = random.Next(2) == 0;
        registry.TellsDigests = random.Next(2) == 0;
        registry.TellsRanges = random.Next(4) > 0;
        registry.KeepsCutBodies = random.Next(2) == 0;
        string parameters = random.Next(2) == 0 ? "?_state=x" : string.Empty;
        registry.Place = path => path + parameters;
        registry.Faults = request =>
        {
            lock (gate)
            {
                return random.NextDouble() < rate ? Next(random, request) : null;
            }
        };
        RegistryOptions options = Pushes.Quick with { MaximumRetries = 4, ChunkThreshold = random.Next(2) == 0 ? 100_000 : 1_000_000, ChunkSize = 60_000, ResponseTimeout = TimeSpan.FromSeconds(5) };

        IReadOnlyList<PushOutcome<PushResult>> outcomes = await Pushes.Push(registry.Host, images, options);

        foreach (PushOutcome<PushResult> outcome in outcomes)
        {
            string because = $"seed {seed}: {outcome.Error}";
            if (outcome.Error is null)
            {
                Pushes.Has(registry, outcome.Request.Image);
            }
            else
            {
                RegistryException error = Assert.IsType<RegistryException>(outcome.Error);
                Assert.True(error.ErrorId.Length > 0 && error.Message.Contains(registry.Host, StringComparison.Ordinal), because);

                // The answer to the tag itself may be what was lost; what it points at is complete even then.
                if (registry.Manifest(Pushes.RepositoryOf(outcome.Request.Image), Pushes.Tag) is not null)
                {
                    Assert.Contains($"manifest {Pushes.Tag}", error.Message, StringComparison.Ordinal);
                    Pushes.Has(registry, outcome.Request.Image);
                }
            }
        }

        return outcomes.Count(o => o.Error is null);
    }

    private static Fault Next(Random random, HttpRequest request) => random.Next(request.ContentLength > 0 ? 9 : 6) switch
    {
        0 => new Fault(FaultType.Status, 429, "0"),
        1 => new Fault(FaultType.Status, 503),
        2 => new Fault(FaultType.Status, 500, Body: FakeRegistry.Error("UNKNOWN", "try again")),
        3 => new Fault(FaultType.CutBefore),
        4 => new Fault(FaultType.CutAfter),
        5 => new Fault(FaultType.LoseUpload),
        _ => new Fault(FaultType.CutWithin),
    };
}
