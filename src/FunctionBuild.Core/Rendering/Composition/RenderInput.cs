using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>A request that was found to be one that can be rendered.</summary>
internal sealed class RenderInput
{
    private RenderInput(RenderRequest request, CompositeResource composite, CompositionPipeline composition)
    {
        Request = request;
        Composite = composite;
        Composition = composition;
    }

    public RenderRequest Request { get; }

    /// <summary>The composite resource as an API server would have it, with references to the observed resources; a copy.</summary>
    public CompositeResource Composite { get; }

    public CompositionPipeline Composition { get; }

    /// <summary>Reads and checks a request.</summary>
    /// <exception cref="RenderException">It cannot be rendered.</exception>
    public static RenderInput Read(RenderRequest request)
    {
        CompositeResource composite = CompositeResource.Prepare(request.CompositeResource, request.CompositeResourceDefinition);
        CompositionPipeline composition = CompositionPipeline.Read(request.Composition);
        composition.CheckFits(composite);
        IReadOnlyList<JsonObject> observed = request.ObservedResources;
        ObservedResources.Check(composite, observed);
        ObservedResources.Refer(composite, observed);
        return new RenderInput(request, composite, composition);
    }
}
