using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>One round of the controller's work on a composite resource. Used once.</summary>
internal sealed class CompositeReconciler
{
    // How many names a condition lists.
    private const int MostNames = 3;

    private readonly RenderInput _input;
    private readonly CompositeResource _composite;
    private readonly RequiredResourceStore _resources;
    private readonly RequiredSchemaStore _schemas;
    private readonly FunctionPipeline _pipeline;
    private readonly List<RenderEvent> _events = [];

    public CompositeReconciler(RenderInput input, IFunctionCaller caller)
    {
        _input = input;
        _composite = input.Composite;
        _resources = RequiredResourceStore.For(input.Request, input.Composite.Source);
        _schemas = new RequiredSchemaStore(input.Request.RequiredSchemas);
        _pipeline = new FunctionPipeline(new RequirementsCaller(caller, _resources, _schemas), _resources, _schemas);
    }

    /// <summary>Does the work.</summary>
    /// <exception cref="RenderException">Resources cannot be composed.</exception>
    public async Task<RenderResult> RunAsync(CancellationToken cancellation)
    {
        _composite.MarkCondition("Responsive", "True", "WatchCircuitClosed");
        if (_composite.IsPaused)
        {
            Record(WellKnown.NormalEvent, "ReconciliationPaused", "Reconciliation is paused via the pause annotation");
            _composite.MarkCondition("Synced", "False", "ReconcilePaused", "Reconciliation (including deletion) is paused via the pause annotation");
            return Finish(_composite, [], []);
        }

        TakeReconcileRequest();
        if (_composite.IsDeleted)
        {
            _composite.MarkCondition("Ready", "False", "Deleting");
            _composite.MarkCondition("Synced", "True", "ReconcileSuccess");
            return Finish(_composite, [], []);
        }

        if (_composite.SelectComposition(_input.Composition.Name))
        {
            Record(WellKnown.NormalEvent, "SelectComposition", $"Successfully selected composition: {_input.Composition.Name}");
        }

        _composite.Configure(_input.Composition);
        try
        {
            return await ComposeAsync(cancellation).ConfigureAwait(false);
        }
        catch (FunctionBuildException fault)
        {
            RenderException error = fault as RenderException ?? new RenderException(fault.ErrorId, fault.Kind, fault.Message, fault.TargetObject, fault);
            throw error.With(Fail(error));
        }
    }

    private void TakeReconcileRequest()
    {
        string token = _composite.Source.Annotation(WellKnown.ReconcileRequestAnnotation);
        if (token.Length > 0 && _composite.Source.Child("status").Text("lastHandledReconcileAt") != token)
        {
            Record(WellKnown.NormalEvent, "ReconcileRequestHandled", "Handling reconcile request");
            _composite.Source.Ensure("status")["lastHandledReconcileAt"] = token;
        }
    }

    private async Task<RenderResult> ComposeAsync(CancellationToken cancellation)
    {
        SortedDictionary<string, ObservedResource> observed = ObservedResources.Observe(_composite, _resources);
        await _pipeline.RunAsync(_input.Composition.Steps, AsState(observed), _input.Request.Context, cancellation).ConfigureAwait(false);

        var composer = new ResourceComposer(_composite, observed);
        IReadOnlyList<ComposedResource> composed = composer.Compose(_pipeline.Desired);
        JsonObject[] deleted = [.. CollectGarbage(observed, composed)];
        CompositeResource applied = Apply(composed);

        _events.AddRange(_pipeline.Events);
        _events.AddRange(composer.Events);
        SetConditions(applied, _pipeline.Conditions);
        SetReadiness(applied, composed);
        return Finish(applied, composed, deleted);
    }

    private State AsState(SortedDictionary<string, ObservedResource> observed)
    {
        var secrets = new Secrets(_resources);
        var state = new State { Composite = AsResource(_composite.Source, secrets.ConnectionDetails(_composite.ConnectionSecret, _composite.Namespace)) };
        foreach ((string name, ObservedResource resource) in observed)
        {
            state.Resources[name] = AsResource(resource.Source, resource.ConnectionDetails);
        }

        return state;

        static Resource AsResource(JsonObject source, IReadOnlyDictionary<string, ByteString> details)
        {
            var resource = new Resource { Resource_ = StructConverter.ToStruct(source) };
            foreach ((string key, ByteString value) in details)
            {
                resource.ConnectionDetails[key] = value;
            }

            return resource;
        }
    }

    // Only what the composite resource controls: a resource that is merely referred to may be anybody's.
    private static IEnumerable<JsonObject> CollectGarbage(SortedDictionary<string, ObservedResource> observed, IReadOnlyList<ComposedResource> composed)
    {
        HashSet<string> desired = [.. composed.Select(resource => resource.Name)];
        foreach (ObservedResource resource in observed.Values.Where(resource => !desired.Contains(resource.Name) && resource.Source.Controller() is not null))
        {
            JsonObject deleted = resource.Source.Copy();
            if (deleted.Child("metadata").Child("labels") is { } labels)
            {
                // By these labels others tell whether a resource went because of its composite resource.
                labels.Remove(WellKnown.CompositeLabel);
                labels.Remove(WellKnown.ClaimNameLabel);
                labels.Remove(WellKnown.ClaimNamespaceLabel);
            }

            yield return deleted;
        }
    }

    // The controller applies what it and the functions own: references and status. Nothing else of the resource is theirs.
    private CompositeResource Apply(IReadOnlyList<ComposedResource> composed)
    {
        var metadata = new JsonObject();
        metadata.SetText("name", _composite.Name);
        metadata.SetText("namespace", _composite.Namespace);
        var source = new JsonObject { ["apiVersion"] = _composite.Source.ApiVersion(), ["kind"] = _composite.Source.Kind(), ["metadata"] = metadata };
        var applied = new CompositeResource(source, _composite.Schema);
        applied.SetResourceReferences(
            ResourceReference.Sort(composed.Select(resource => ResourceReference.Create(resource.Source, _composite.IsNamespaced, withUid: true))));

        JsonObject desired = StructConverter.ToObject(_pipeline.Desired?.Composite?.Resource_ ?? new Struct());
        source["status"] = desired["status"] switch
        {
            null => new JsonObject(),
            JsonObject status when status["conditions"] is null or JsonArray => status.Copy(),
            _ => throw new RenderException(
                "DesiredCompositeInvalid",
                FaultKind.InvalidData,
                $"The functions of composition '{_input.Composition.Name}' ask for a status of the composite resource that is not an object, or has conditions that are not a list.",
                _input.Composition.Source),
        };
        foreach (JsonObject condition in StatusConditions.Read(_composite.Source))
        {
            StatusConditions.Set(source, condition);
        }

        return applied;
    }

    // Those of the controller are not for functions.
    private static HashSet<string> SetConditions(CompositeResource composite, IReadOnlyList<FunctionCondition> conditions)
    {
        HashSet<string> seen = [];
        foreach (FunctionCondition condition in conditions)
        {
            string type = condition.Source.Text("type");
            if (StatusConditions.IsSystem(type))
            {
                continue;
            }

            seen.Add(type);
            StatusConditions.Set(composite.Source, condition.Source);
            if (condition.ForClaim)
            {
                composite.AddClaimConditionType(type);
            }
        }

        return seen;
    }

    private void SetReadiness(CompositeResource composite, IReadOnlyList<ComposedResource> composed)
    {
        string[] unready = [.. composed.Where(resource => !resource.IsReady).Select(resource => resource.Name)];
        foreach (string name in unready)
        {
            Record(WellKnown.NormalEvent, WellKnown.ComposeReason, $"Composed resource \"{name}\" is not yet ready");
        }

        composite.MarkCondition("Synced", "True", "ReconcileSuccess");
        switch (_pipeline.Desired?.Composite?.Ready ?? Ready.Unspecified)
        {
            // What functions say of the composite resource counts more than what they say of its parts.
            case Ready.True:
                composite.MarkCondition("Ready", "True", "Available");
                break;
            case Ready.False:
                composite.MarkCondition("Ready", "False", "Creating");
                break;
            default:
                if (unready.Length == 0)
                {
                    composite.MarkCondition("Ready", "True", "Available");
                }
                else
                {
                    composite.MarkCondition("Ready", "False", "Creating", $"Unready resources: {ListSome(unready)}");
                }

                break;
        }
    }

    private static string ListSome(string[] names) => names.Length switch
    {
        > MostNames => $"{string.Join(", ", names[..MostNames])}, and {names.Length - MostNames} more",
        MostNames => $"{string.Join(", ", names[..^1])}, and {names[^1]}",
        _ => string.Join(", ", names),
    };

    private RenderResult Fail(RenderException error)
    {
        string message = WellKnown.ComposeError + error.ControllerMessage;
        Record(WellKnown.WarningEvent, WellKnown.ComposeReason, message);
        _composite.MarkCondition("Synced", "False", "ReconcileError", message);

        // When something else than a function fails, the controller drops what functions said.
        HashSet<string> seen = [];
        if (_pipeline.IsFatal)
        {
            _events.AddRange(_pipeline.Events);
            seen = SetConditions(_composite, _pipeline.Conditions);
        }

        foreach (string type in StatusConditions.Read(_composite.Source).Select(condition => condition.Text("type")))
        {
            if (!StatusConditions.IsSystem(type) && !seen.Contains(type))
            {
                _composite.MarkCondition(type, "Unknown", "FatalError", "A fatal error occurred before the status of this condition could be determined.");
            }
        }

        return Finish(_composite, [], []);
    }

    private RenderResult Finish(CompositeResource composite, IReadOnlyList<ComposedResource> composed, JsonObject[] deleted)
    {
        StatusConditions.StabilizeTimes(composite.Source);
        JsonObject[] resources = [.. composed.Select(resource => resource.Source)];
        foreach (JsonObject resource in resources)
        {
            StatusConditions.StabilizeTimes(resource);
        }

        return new RenderResult
        {
            CompositeResource = composite.Source,
            ComposedResources = resources,
            DeletedResources = deleted,
            Events = _events,
            RequiredResources = _resources.Requested,
            RequiredSchemas = _schemas.Requested,
            Context = _pipeline.Context is { } context ? StructConverter.ToObject(context) : [],
            TimeToLive = _pipeline.TimeToLive,
        };
    }

    private void Record(string type, string reason, string message) => _events.Add(new RenderEvent(type, reason, message));
}
