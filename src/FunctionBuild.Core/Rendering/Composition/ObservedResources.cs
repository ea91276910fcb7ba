using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>The composed resources that exist already.</summary>
internal static class ObservedResources
{
    /// <summary>Checks that the controller would take every resource for one of the composite resource's.</summary>
    /// <exception cref="RenderException">It would not (<c>ObservedResourceInvalid</c>); the message lists all faults.</exception>
    public static void Check(CompositeResource composite, IReadOnlyList<JsonObject> observed)
    {
        string[] faults = [.. observed.SelectMany((item, index) => FindFaults(composite, item, index)), .. FindTwins(observed)];
        if (faults.Length > 0)
        {
            throw new RenderException(
                "ObservedResourceInvalid",
                FaultKind.InvalidData,
                $"The observed resources are not those of {composite.Source.Kind()} '{composite.Name}': {string.Join("; ", faults)}.",
                composite.Source);
        }
    }

    /// <summary>Makes the composite resource refer to its observed resources, which is how the controller finds them. Without any, references stay as they are.</summary>
    public static void Refer(CompositeResource composite, IReadOnlyList<JsonObject> observed)
    {
        if (observed.Count > 0)
        {
            composite.SetResourceReferences(observed.Select(item => ResourceReference.Create(item, composite.IsNamespaced, withUid: false)));
        }
    }

    /// <summary>The composed resources that the composite resource refers to, by name.</summary>
    /// <exception cref="RenderException">One has no name in the pipeline (<c>ObservedResourceUnnamed</c>), or its Secret cannot be read.</exception>
    public static SortedDictionary<string, ObservedResource> Observe(CompositeResource composite, RequiredResourceStore objects)
    {
        var secrets = new Secrets(objects);
        var observed = new SortedDictionary<string, ObservedResource>(StringComparer.Ordinal);
        foreach (JsonObject reference in composite.ResourceReferences)
        {
            string @namespace = composite.IsNamespaced ? composite.Namespace : reference.Text("namespace");
            JsonObject? source = reference.Text("name").Length == 0 ? null : objects.Find(reference.ApiVersion(), reference.Kind(), @namespace, reference.Text("name"));

            // What is not there any more, or belongs to someone else, counts as not existing.
            if (source is null || (source.Controller() is { } controller && controller.Text("uid") != composite.Uid))
            {
                continue;
            }

            string name = source.Annotation(WellKnown.ResourceNameAnnotation);
            if (name.Length == 0)
            {
                throw new RenderException(
                    "ObservedResourceUnnamed",
                    FaultKind.InvalidData,
                    $"The observed resource {source.Kind()} '{source.Name()}' has no annotation '{WellKnown.ResourceNameAnnotation}', so that it cannot be told which resource of the pipeline it is. Set it to the resource's name in the functions' desired state.",
                    source);
            }

            observed[name] = new ObservedResource(name, source, secrets.ConnectionDetails(source.Child("spec").Child("writeConnectionSecretToRef"), source.Namespace()));
        }

        return observed;
    }

    private static IEnumerable<string> FindFaults(CompositeResource composite, JsonObject item, int index)
    {
        if (item.FindFault() is { } fault)
        {
            yield return $"number {index + 1} ('{item.Name()}') is no object: {fault}";
            yield break;
        }

        if (item.Name().Length == 0)
        {
            yield return $"number {index + 1} ({item.Kind()}) has no metadata.name";
        }

        if (item.Controller() is { } controller && controller.Text("uid") != composite.Uid)
        {
            yield return $"{item.Kind()} '{item.Name()}' is controlled by {controller.Text("kind")} '{controller.Text("name")}' with UID '{controller.Text("uid")}', and the composite resource's UID is '{composite.Uid}'";
        }

        if (composite.IsNamespaced && item.Namespace() != composite.Namespace)
        {
            yield return $"{item.Kind()} '{item.Name()}' is in namespace '{item.Namespace()}', and the composite resource in '{composite.Namespace}'";
        }
    }

    private static IEnumerable<string> FindTwins(IReadOnlyList<JsonObject> observed) =>
        observed
            .GroupBy(item => item.Annotation(WellKnown.ResourceNameAnnotation), StringComparer.Ordinal)
            .Where(group => group.Key.Length > 0 && group.Count() > 1)
            .Select(group => $"{string.Join(" and ", group.Select(item => $"{item.Kind()} '{item.Name()}'"))} have the same name in the pipeline, '{group.Key}'");
}
