using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Runs the steps of a composition one after the other, each on what the one before it returned, and keeps what they say.</summary>
/// <param name="caller">Calls functions, and gives them the resources and schemas that they ask for.</param>
/// <param name="resources">Where resources are that steps require from the start, and Secrets.</param>
/// <param name="schemas">Where schemas are that steps require from the start.</param>
internal sealed class FunctionPipeline(IFunctionCaller caller, RequiredResourceStore resources, RequiredSchemaStore schemas)
{
    private readonly List<RenderEvent> _events = [];
    private readonly List<FunctionCondition> _conditions = [];
    private readonly Secrets _secrets = new(resources);

    /// <summary>The results of functions as events on the composite resource, in the order of the steps.</summary>
    public IReadOnlyList<RenderEvent> Events => _events;

    /// <summary>The conditions that functions set, in the order of the steps.</summary>
    public IReadOnlyList<FunctionCondition> Conditions => _conditions;

    /// <summary>The state that the last step asks for; null when it asks for nothing at all.</summary>
    public State? Desired { get; private set; } = new();

    /// <summary>The context as the last step left it.</summary>
    public Struct? Context { get; private set; }

    /// <summary>The shortest time for which a function says that its answer holds; null when none does.</summary>
    public TimeSpan? TimeToLive { get; private set; }

    /// <summary>Whether the pipeline stopped because a function said so.</summary>
    public bool IsFatal { get; private set; }

    /// <summary>Runs the steps.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="observed">What exists.</param>
    /// <param name="context">What the first step is given as context; null for nothing.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="RenderException">A function returned a fatal result (<c>FunctionFatal</c>), a call failed, or a step lacks what the composition names.</exception>
    public async Task RunAsync(IReadOnlyList<PipelineStep> steps, State observed, JsonObject? context, CancellationToken cancellation)
    {
        Context = StructConverter.ToStruct(context ?? []);
        foreach (PipelineStep step in steps)
        {
            RunFunctionRequest request = CreateRequest(step, observed);
            RunFunctionResponse response;
            try
            {
                response = await caller.CallAsync(step.Function, request, cancellation).ConfigureAwait(false);
            }
            catch (FunctionBuildException fault)
            {
                throw StepError(step, fault, fault.Message);
            }

            Desired = response.Desired;
            Context = response.Context;
            TakeTimeToLive(response);
            TakeConditions(response);
            TakeResults(step, response);
        }
    }

    private RunFunctionRequest CreateRequest(PipelineStep step, State observed)
    {
        var request = new RunFunctionRequest { Observed = observed, Desired = Desired, Input = step.Input, Context = Context };
        foreach (StepCredential credential in step.Credentials)
        {
            SortedDictionary<string, ByteString> entries = _secrets.Find(credential.SecretNamespace, credential.SecretName)
                ?? throw new RenderException(
                    "CredentialNotFound",
                    FaultKind.NotFound,
                    $"Pipeline step '{step.Name}' takes its credentials '{credential.Name}' from Secret '{credential.SecretNamespace}/{credential.SecretName}', which was not given. Give it with the function credentials.",
                    step.Name);
            var data = new CredentialData();
            data.Data.Add(entries);
            request.Credentials[credential.Name] = new Credentials { CredentialData = data };
        }

        Fetch(step, request.RequiredResources, step.RequiredResources, resources.Fetch);
        Fetch(step, request.RequiredSchemas, step.RequiredSchemas, schemas.Fetch);

        // The tag is that of the request without its own meta data.
        string tag = RequestTag.Of(request);
        request.Meta = new RequestMeta { Tag = tag };
        request.Meta.Capabilities.Add(Capabilities.Supported);
        return request;
    }

    private static void Fetch<TSelector, TFound>(
        PipelineStep step, MapField<string, TFound> target, IReadOnlyList<KeyValuePair<string, TSelector>> selectors, Func<TSelector, TFound> fetch)
    {
        foreach ((string name, TSelector selector) in selectors)
        {
            try
            {
                target[name] = fetch(selector);
            }
            catch (FunctionBuildException fault)
            {
                throw StepError(step, fault, $"The requirement '{name}' cannot be met. {fault.Message}");
            }
        }
    }

    private void TakeTimeToLive(RunFunctionResponse response)
    {
        // Not as the library converts it, which refuses what a careless function may write.
        double seconds = response.Meta?.Ttl is { } ttl ? ttl.Seconds + (ttl.Nanos / 1e9) : 0;
        TimeSpan time = TimeSpan.FromSeconds(Math.Clamp(seconds, 0, TimeSpan.MaxValue.TotalSeconds / 2));
        if (time > TimeSpan.Zero && (TimeToLive is null || time < TimeToLive))
        {
            TimeToLive = time;
        }
    }

    private void TakeConditions(RunFunctionResponse response)
    {
        foreach (Condition condition in response.Conditions)
        {
            string status = condition.Status switch
            {
                Status.ConditionTrue => "True",
                Status.ConditionFalse => "False",
                _ => "Unknown",
            };
            _conditions.Add(new FunctionCondition(
                StatusConditions.Create(condition.Type, status, condition.Reason, condition.Message),
                condition.Target == Target.CompositeAndClaim));
        }
    }

    private void TakeResults(PipelineStep step, RunFunctionResponse response)
    {
        foreach (Result result in response.Results)
        {
            string reason = result.Reason.Length > 0 ? result.Reason : WellKnown.ComposeReason;
            switch (result.Severity)
            {
                case Severity.Fatal:
                    IsFatal = true;
                    throw new RenderException(
                        "FunctionFatal",
                        FaultKind.InvalidData,
                        $"Function '{step.Function}' in pipeline step '{step.Name}' returned a fatal result: {result.Message}",
                        step.Name)
                    {
                        ControllerMessage = $"pipeline step \"{step.Name}\" returned a fatal result: {result.Message}",
                    };
                case Severity.Warning:
                    _events.Add(new RenderEvent(WellKnown.WarningEvent, reason, $"Pipeline step \"{step.Name}\": {result.Message}"));
                    break;
                case Severity.Normal:
                    _events.Add(new RenderEvent(WellKnown.NormalEvent, reason, $"Pipeline step \"{step.Name}\": {result.Message}"));
                    break;
                default:
                    // Of a function that is newer than the protocol here.
                    _events.Add(new RenderEvent(
                        WellKnown.WarningEvent,
                        reason,
                        $"Pipeline step \"{step.Name}\" returned a result of unknown severity (assuming warning): {result.Message}"));
                    break;
            }
        }
    }

    private static RenderException StepError(PipelineStep step, FunctionBuildException fault, string problem) =>
        new(fault.ErrorId, fault.Kind, $"Pipeline step '{step.Name}': {problem}", step.Name, fault);
}
