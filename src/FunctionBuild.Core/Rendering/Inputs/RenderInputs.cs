using System.Text.Json.Nodes;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>What a user gives to be rendered.</summary>
public sealed record RenderInputs
{
    /// <summary>The composite resource.</summary>
    public required InputSource CompositeResource { get; init; }

    /// <summary>The composition.</summary>
    public required InputSource Composition { get; init; }

    /// <summary>The images of functions.</summary>
    public IReadOnlyList<FunctionImage> Images { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary><c>Function</c> objects of functions that are no images here, and how functions are run.</summary>
    public IReadOnlyList<InputSource> Functions { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>Composed resources that exist already.</summary>
    public IReadOnlyList<InputSource> ObservedResources { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>Resources that functions may require.</summary>
    public IReadOnlyList<InputSource> RequiredResources { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>OpenAPI v3 documents that functions may require.</summary>
    public IReadOnlyList<InputSource> RequiredSchemas { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>Secrets that steps name as credentials.</summary>
    public IReadOnlyList<InputSource> Credentials { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>The composite resource's definition; null when it is not known.</summary>
    public InputSource? CompositeResourceDefinition { get; init; }

    /// <summary>The context's values by key; of several with the same key the last counts.</summary>
    public IReadOnlyList<KeyValuePair<string, InputSource>> Context { get; init => field = ReadOnly.Copy(value); } = [];

    /// <summary>Reads and checks all of it. Nothing is started.</summary>
    /// <param name="options">How it will be rendered.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="FunctionBuildException">Something cannot be read or does not fit; the message says what and where.</exception>
    public async Task<RenderPlan> ReadAsync(RenderOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        InputDocument composite = await InputReader.ReadOneAsync(CompositeResource, "composite resource", cancellation).ConfigureAwait(false);
        InputDocument composition = await InputReader.ReadOneAsync(Composition, "composition", cancellation).ConfigureAwait(false);
        InputDocument? definition = CompositeResourceDefinition is null ? null : await InputReader.ReadOneAsync(CompositeResourceDefinition, "CompositeResourceDefinition", cancellation).ConfigureAwait(false);
        IReadOnlyList<FunctionManifest> manifests = FunctionManifest.Read(await InputReader.ReadObjectsAsync(Functions, cancellation).ConfigureAwait(false));
        var request = new RenderRequest
        {
            CompositeResource = composite.AsObject(),
            Composition = composition.AsObject(),
            CompositeResourceDefinition = definition?.AsObject(),
            ObservedResources = await ReadObjectsAsync(ObservedResources, cancellation).ConfigureAwait(false),
            RequiredResources = await ReadObjectsAsync(RequiredResources, cancellation).ConfigureAwait(false),
            RequiredSchemas = [.. (await InputReader.ReadSchemasAsync(RequiredSchemas, cancellation).ConfigureAwait(false)).Select(d => d.AsObject())],
            Credentials = await ReadSecretsAsync(cancellation).ConfigureAwait(false),
            Context = await ReadContextAsync(cancellation).ConfigureAwait(false),
        };
        return RenderPlan.Make(request, Images, manifests, options);
    }

    private static async Task<IReadOnlyList<JsonObject>> ReadObjectsAsync(IReadOnlyList<InputSource> sources, CancellationToken cancellation) =>
        [.. (await InputReader.ReadObjectsAsync(sources, cancellation).ConfigureAwait(false)).Select(d => d.AsObject())];

    private async Task<IReadOnlyList<JsonObject>> ReadSecretsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<InputDocument> documents = await InputReader.ReadObjectsAsync(Credentials, cancellation).ConfigureAwait(false);
        foreach (InputDocument document in documents)
        {
            JsonObject secret = document.AsObject();
            if (secret["kind"]?.ToString() != "Secret" || secret["apiVersion"]?.ToString() != "v1")
            {
                throw new FunctionBuildException("NotASecret", FaultKind.InvalidData, $"{document.Place}: a Secret of v1 is expected, and this is a {secret["kind"]} of '{secret["apiVersion"]}'.", document.Source);
            }
        }

        return [.. documents.Select(d => d.AsObject())];
    }

    private async Task<JsonObject?> ReadContextAsync(CancellationToken cancellation)
    {
        if (Context.Count == 0)
        {
            return null;
        }

        var context = new JsonObject();
        foreach ((string key, InputSource source) in Context)
        {
            context[key] = (await InputReader.ReadValueAsync(source, cancellation).ConfigureAwait(false))?.DeepClone();
        }

        return context;
    }
}
