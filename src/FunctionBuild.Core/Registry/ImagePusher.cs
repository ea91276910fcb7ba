using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// Pushes function images, straight from their workspaces. All functions' blobs go first, then the platforms' manifests
/// and the indexes by digest, and only when all of that has arrived, the tags: no tag ever points at
/// something incomplete, and a push that is cancelled before its end has tagged nothing.
/// </summary>
public static class ImagePusher
{
    /// <summary>Pushes images; one outcome for each request, in their order.</summary>
    /// <param name="requests">The images and where they go.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told of bytes; may be null.</param>
    /// <param name="cancellation">Stops at once.</param>
    /// <exception cref="FunctionBuildException">
    /// Nothing was begun: ErrorId <c>InvalidReference</c>, <c>InvalidRepository</c>, <c>DuplicateReference</c> or
    /// <c>CredentialForSeveralRegistries</c>.
    /// </exception>
    public static Task<IReadOnlyList<PushOutcome<PushResult>>> PushAsync(IReadOnlyList<PushRequest> requests, PushOptions options, PushProgress? progress, CancellationToken cancellation) =>
        RunAsync(requests, options, async (functions, token) =>
        {
            progress?.Begin([.. functions.Select(f => f.Progress)]);
            await RunStage(functions, (f, t) => f.SurveyAsync(askForAll: false, t), token).ConfigureAwait(false);
            await RunStage(functions, (f, t) => f.BringAsync(t), token).ConfigureAwait(false);
            await RunStage(functions, (f, t) => f.TagAsync(t), token).ConfigureAwait(false);
            return (IReadOnlyList<PushOutcome<PushResult>>)[.. functions.Select(f => new PushOutcome<PushResult>(f.Request, f.Error is null ? f.ToResult() : null, f.Error))];
        }, cancellation);

    /// <summary>Asks the registries what they have, and tells what a push would do; one outcome for each request, in their order. Changes nothing.</summary>
    /// <param name="requests">The images and where they would go.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops at once.</param>
    /// <exception cref="FunctionBuildException">As <see cref="PushAsync"/> throws.</exception>
    public static Task<IReadOnlyList<PushOutcome<PushPlan>>> PlanAsync(IReadOnlyList<PushRequest> requests, PushOptions options, CancellationToken cancellation) =>
        RunAsync(requests, options, async (functions, token) =>
        {
            await RunStage(functions, (f, t) => f.SurveyAsync(askForAll: true, t), token).ConfigureAwait(false);
            var outcomes = new List<PushOutcome<PushPlan>>();
            var claimed = new HashSet<(string, Digest)>();
            foreach (FunctionPush function in functions)
            {
                PushPlan? plan = null;
                await function.RunAsync(async (f, t) => plan = await f.ToPlanAsync(claimed, t).ConfigureAwait(false), token).ConfigureAwait(false);
                outcomes.Add(new PushOutcome<PushPlan>(function.Request, plan, function.Error));
            }

            return (IReadOnlyList<PushOutcome<PushPlan>>)outcomes;
        }, cancellation);

    private static async Task<T> RunAsync<T>(IReadOnlyList<PushRequest> requests, PushOptions options, Func<IReadOnlyList<FunctionPush>, CancellationToken, Task<T>> run, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ThrottleLimit, 1);
        List<ImageReference> targets = [.. requests.Select(TargetOf)];
        Check(requests, targets, options);

        using var throttle = new SemaphoreSlim(options.ThrottleLimit);
        var clients = new Dictionary<string, RegistryClient>(StringComparer.Ordinal);
        List<FunctionPush> functions = [];
        try
        {
            foreach (string registry in targets.Select(t => t.Registry).Distinct(StringComparer.Ordinal))
            {
                clients.Add(registry, new RegistryClient(registry, options.Registry));
            }

            Dictionary<string, BlobTransfers> transfers = clients.ToDictionary(c => c.Key, c => new BlobTransfers(c.Value, throttle, cancellation), StringComparer.Ordinal);
            functions.AddRange(requests.Zip(targets, (r, t) => new FunctionPush(r, t, clients[t.Registry], transfers[t.Registry], options.ThrottleLimit)));
            return await run(functions, cancellation).ConfigureAwait(false);
        }
        finally
        {
            functions.ForEach(f => f.Dispose());
            foreach (RegistryClient client in clients.Values)
            {
                client.Dispose();
            }
        }
    }

    private static async Task RunStage(IReadOnlyList<FunctionPush> functions, Func<FunctionPush, CancellationToken, Task> stage, CancellationToken cancellation)
    {
        await Task.WhenAll(functions.Select(f => f.RunAsync(stage, cancellation))).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
    }

    private static ImageReference TargetOf(PushRequest request)
    {
        string repository = request.Repository ?? request.Image.Repository;
        RepositoryName.Check(repository);
        return ImageReference.Parse(repository);
    }

    private static void Check(IReadOnlyList<PushRequest> requests, List<ImageReference> targets, PushOptions options)
    {
        IEnumerable<(string Reference, Digest Digest)> tagged = requests.Zip(targets).SelectMany(p => p.First.Tags.Select(t => (p.Second.WithTag(t).ToString(), p.First.Image.Digest)));
        if (tagged.Distinct().GroupBy(t => t.Reference, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new FunctionBuildException("DuplicateReference", FaultKind.InvalidArgument, $"Two images would be pushed to '{twice.Key}'. Push them to different repositories, or with different tags.", twice.Key);
        }

        if (options.Registry.Credential is not null && targets.Select(t => t.Registry).Distinct(StringComparer.Ordinal).Skip(1).Any())
        {
            throw new FunctionBuildException("CredentialForSeveralRegistries", FaultKind.InvalidArgument, $"One credential was given, but images go to {string.Join(", ", targets.Select(t => t.Registry).Distinct(StringComparer.Ordinal))}. Push to each registry in a call of its own, or log in to them.", options.Registry.Credential);
        }
    }
}
