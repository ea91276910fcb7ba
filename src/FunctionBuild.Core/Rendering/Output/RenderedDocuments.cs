using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Output;

/// <summary>What a render prints, as the reference does: objects in order, with times that do not change from one run to the next.</summary>
public static class RenderedDocuments
{
    private const string ApiVersion = "render.crossplane.io/v1beta1";
    private const string NameAnnotation = "crossplane.io/composition-resource-name";

    /// <summary>
    /// The composite resource, then the composed resources by the annotation <c>crossplane.io/composition-resource-name</c>,
    /// and what else is asked for: an object of kind <c>Result</c> per event, and one of kind <c>Context</c>.
    /// </summary>
    /// <param name="result">What was rendered; it is not changed.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="content">What is wanted besides.</param>
    public static IReadOnlyList<JsonObject> Of(RenderResult result, RenderRequest request, RenderedContent content)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(request);
        JsonObject composite = content.HasFlag(RenderedContent.FullComposite)
            ? CompositeRenderer.Complete(request, result.CompositeResource)
            : result.CompositeResource.Copy();
        List<JsonObject> documents =
        [
            WithFixedTimes(composite),
            .. result.ComposedResources
                .OrderBy(r => r.Annotation(NameAnnotation), StringComparer.Ordinal)
                .Select(r => WithFixedTimes(r.Copy())),
        ];
        if (content.HasFlag(RenderedContent.FunctionResults))
        {
            documents.AddRange(result.Events.Select(ToResult));
        }

        if (content.HasFlag(RenderedContent.Context))
        {
            documents.Add(new JsonObject { ["apiVersion"] = ApiVersion, ["kind"] = "Context", ["fields"] = result.Context.DeepClone() });
        }

        return documents;
    }

    private static JsonObject ToResult(RenderEvent rendered) => new()
    {
        ["apiVersion"] = ApiVersion,
        ["kind"] = "Result",
        ["severity"] = rendered.Type,
        ["reason"] = rendered.Reason,
        ["message"] = rendered.Message,
    };

    private static JsonObject WithFixedTimes(JsonObject resource)
    {
        StatusConditions.StabilizeTimes(resource);
        return resource;
    }
}
