using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Makes composed resources of what functions ask for: names, namespace, owner, labels and annotations.</summary>
/// <param name="composite">The composite resource, which has the label that names are made with.</param>
/// <param name="observed">The composed resources that exist, by name in the pipeline.</param>
internal sealed class ResourceComposer(CompositeResource composite, IReadOnlyDictionary<string, ObservedResource> observed)
{
    private readonly List<RenderEvent> _events = [];

    /// <summary>What the controller has to say about the resources.</summary>
    public IReadOnlyList<RenderEvent> Events => _events;

    /// <summary>The composed resources, ordered by name in the pipeline.</summary>
    /// <exception cref="RenderException">One cannot be applied.</exception>
    public IReadOnlyList<ComposedResource> Compose(State? desired)
    {
        ComposedResource[] composed = desired is null
            ? []
            : [.. desired.Resources.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => Compose(entry.Key, entry.Value))];
        CheckCollisions(composed);
        return composed;
    }

    private ComposedResource Compose(string name, Resource desired)
    {
        JsonObject source = ReadDesired(name, desired);
        JsonObject metadata = source.Ensure("metadata");
        if (observed.TryGetValue(name, out ObservedResource? existing))
        {
            // A resource is never renamed or moved, whatever functions say.
            metadata.SetText("namespace", existing.Source.Namespace());
            metadata.SetText("name", existing.Source.Name());
            metadata.SetText("generateName", existing.Source.Child("metadata").Text("generateName"));
        }

        SetNamespace(name, source, metadata);
        SetOrigin(name, source, metadata);
        if (source.Name().Length == 0)
        {
            metadata["name"] = ResourceNames.Child(metadata.Text("generateName"), composite.Uid, name);
        }

        if (!ResourceNames.IsValid(source.Name(), ObjectKind.Of(source)))
        {
            throw Error(
                "ComposedResourceNameInvalid",
                name,
                $"has the name '{source.Name()}', which is not a valid RFC 1123 subdomain: at most 253 lower-case letters, digits, '-' and '.', and a letter or digit at both ends of each part",
                source);
        }

        return new ComposedResource(name, source, desired.Ready == Ready.True);
    }

    private static JsonObject ReadDesired(string name, Resource desired)
    {
        JsonObject source;
        try
        {
            source = StructConverter.ToObject(desired.Resource_ ?? new Struct());
        }
        catch (FunctionBuildException fault)
        {
            throw new RenderException(fault.ErrorId, fault.Kind, $"The desired resource '{name}': {fault.Message}", name, fault);
        }

        return source.FindFault() is { } problem ? throw Error("DesiredResourceInvalid", name, $"cannot be applied: {problem}", source) : source;
    }

    private void SetNamespace(string name, JsonObject source, JsonObject metadata)
    {
        if (!composite.IsNamespaced)
        {
            return;
        }

        string given = source.Namespace();
        if (given.Length == 0 && ClusterScopedKinds.Contains(ObjectKind.Of(source)))
        {
            throw Error(
                "ComposedResourceScopeInvalid",
                name,
                $"is a {source.Kind()}, which is in no namespace, but a composite resource in a namespace can only compose resources in its own, '{composite.Namespace}'",
                source);
        }

        if (given.Length > 0 && given != composite.Namespace)
        {
            _events.Add(new RenderEvent(
                WellKnown.WarningEvent,
                "NamespaceOverridden",
                $"cannot create composed resource \"{name}\" in namespace \"{given}\", using XR namespace \"{composite.Namespace}\" instead"));
        }

        metadata["namespace"] = composite.Namespace;
    }

    private void SetOrigin(string name, JsonObject source, JsonObject metadata)
    {
        string prefix = composite.Source.Label(WellKnown.CompositeLabel);
        if (source.Name().Length == 0 && metadata.Text("generateName").Length == 0)
        {
            metadata["generateName"] = prefix + "-";
        }

        if (name.Length > 0)
        {
            metadata.Ensure("annotations")[WellKnown.ResourceNameAnnotation] = name;
        }

        JsonObject labels = metadata.Ensure("labels");
        labels[WellKnown.CompositeLabel] = prefix;
        string claim = composite.Source.Label(WellKnown.ClaimNameLabel);
        string claimNamespace = composite.Source.Label(WellKnown.ClaimNamespaceLabel);
        if (claim.Length > 0 && claimNamespace.Length > 0)
        {
            labels[WellKnown.ClaimNameLabel] = claim;
            labels[WellKnown.ClaimNamespaceLabel] = claimNamespace;
        }

        SetController(name, source, metadata);
    }

    private void SetController(string name, JsonObject source, JsonObject metadata)
    {
        if (source.Controller() is { } controller && controller.Text("uid") != composite.Uid)
        {
            throw Error(
                "ComposedResourceControlled",
                name,
                $"is already controlled by {controller.Text("kind")} '{controller.Text("name")}' with UID '{controller.Text("uid")}'. A function must not set the controller in metadata.ownerReferences",
                source);
        }

        var owner = new JsonObject
        {
            ["apiVersion"] = composite.Source.ApiVersion(),
            ["blockOwnerDeletion"] = true,
            ["controller"] = true,
            ["kind"] = composite.Source.Kind(),
            ["name"] = composite.Name,
            ["uid"] = composite.Uid,
        };
        List<JsonObject> owners = [.. (metadata["ownerReferences"] as JsonArray ?? []).OfType<JsonObject>().Select(NormalizeOwner)];
        int index = owners.FindIndex(existing => existing.Text("uid") == composite.Uid);
        if (index < 0)
        {
            owners.Add(owner);
        }
        else
        {
            owners[index] = owner;
        }

        metadata["ownerReferences"] = new JsonArray([.. owners]);
    }

    // The controller reads and writes the whole list, which leaves the fields that owners have and no others.
    private static JsonObject NormalizeOwner(JsonObject owner)
    {
        var normal = new JsonObject
        {
            ["apiVersion"] = owner.Text("apiVersion"),
            ["kind"] = owner.Text("kind"),
            ["name"] = owner.Text("name"),
            ["uid"] = owner.Text("uid"),
        };
        foreach (string field in (string[])["controller", "blockOwnerDeletion"])
        {
            if (owner[field]?.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
            {
                normal[field] = owner[field]!.DeepClone();
            }
        }

        return normal;
    }

    // The last of two that are applied would win, and nobody can say which that is.
    private void CheckCollisions(ComposedResource[] composed)
    {
        var taken = new Dictionary<(ObjectKind Kind, string Namespace, string Name), string>
        {
            [Identity(composite.Source)] = "the composite resource itself",
        };
        foreach (ComposedResource resource in composed)
        {
            if (!taken.TryAdd(Identity(resource.Source), $"the desired resource '{resource.Name}'"))
            {
                throw Error(
                    "ComposedResourceCollision",
                    resource.Name,
                    $"is the same object as {taken[Identity(resource.Source)]}: {resource.Source.Kind()} '{resource.Source.Name()}' of '{resource.Source.ApiVersion()}' in {(resource.Source.Namespace() is { Length: > 0 } place ? $"namespace '{place}'" : "no namespace")}. Give each a name of its own",
                    resource.Source);
            }
        }

        static (ObjectKind Kind, string Namespace, string Name) Identity(JsonObject source) => (ObjectKind.Of(source), source.Namespace(), source.Name());
    }

    private static RenderException Error(string errorId, string name, string problem, JsonObject source) =>
        new(errorId, FaultKind.InvalidData, $"The desired resource '{name}' {problem}.", source);
}
