using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>
/// Renders composite resources as Crossplane's controller would: runs the pipeline of a composition and makes of its
/// answers what the controller would write to the cluster.
/// </summary>
public static class CompositeRenderer
{
    /// <summary>The functions that a composition uses, by the names that its steps use (<c>functionRef.name</c>): each once, in the order of the steps.</summary>
    /// <exception cref="RenderException">It is not a composition, or not one with a pipeline.</exception>
    public static IReadOnlyList<string> FunctionsOf(JsonObject composition) =>
        ReadOnly.Copy<string>([.. CompositionPipeline.Read(composition).Steps.Select(step => step.Function).Distinct(StringComparer.Ordinal)]);

    /// <summary>Checks all of a request that can be checked before functions run.</summary>
    /// <exception cref="RenderException">It cannot be rendered; the message says why.</exception>
    public static void Check(RenderRequest request) => RenderInput.Read(request);

    /// <summary>
    /// The composite resource as the user gave it, with the definition's defaults, and over it what a render made of it.
    /// Objects are merged field by field; of lists the render's counts.
    /// </summary>
    /// <param name="request">What was rendered.</param>
    /// <param name="rendered">The composite resource of the result.</param>
    /// <exception cref="RenderException">The request cannot be rendered.</exception>
    public static JsonObject Complete(RenderRequest request, JsonObject rendered)
    {
        JsonObject complete = request.CompositeResource.Copy();
        if (request.CompositeResourceDefinition is { } definition)
        {
            CompositeDefinition.ApplyDefaults(complete, definition, CompositeDefinition.SelectSchema(complete, definition));
        }

        Merge(complete, rendered);
        StatusConditions.StabilizeTimes(complete);
        return complete;
    }

    /// <summary>Renders a composite resource with functions that run.</summary>
    /// <param name="request">What is rendered; nothing of it is changed.</param>
    /// <param name="functions">The functions, by the names that the composition's steps use. They still run afterwards.</param>
    /// <param name="callTimeout">How long a single call of a function may take; null for as long as the token allows.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="RenderException">
    /// The request cannot be rendered, a function returned a fatal result (<c>FunctionFatal</c>), a call failed, or the
    /// controller could not apply what the functions ask for. What was there until then is in <see cref="RenderException.Partial"/>.
    /// </exception>
    public static async Task<RenderResult> RenderAsync(
        RenderRequest request, IEnumerable<RunningFunction> functions, TimeSpan? callTimeout, CancellationToken cancellation)
    {
        var client = new FunctionClient(functions, callTimeout);
        await using (client.ConfigureAwait(false))
        {
            return await RenderAsync(request, client, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Renders a composite resource.</summary>
    /// <param name="request">What is rendered; nothing of it is changed.</param>
    /// <param name="caller">Calls a function once. What functions require is taken from the request.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="RenderException">As above.</exception>
    internal static Task<RenderResult> RenderAsync(RenderRequest request, IFunctionCaller caller, CancellationToken cancellation) =>
        new CompositeReconciler(RenderInput.Read(request), caller).RunAsync(cancellation);

    private static void Merge(JsonObject target, JsonObject source)
    {
        foreach ((string name, JsonNode? value) in source)
        {
            if (value is JsonObject part && target[name] is JsonObject existing)
            {
                Merge(existing, part);
            }
            else
            {
                target[name] = value?.DeepClone();
            }
        }
    }
}
