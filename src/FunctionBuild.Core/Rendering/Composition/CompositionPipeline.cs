using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Calls;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Rendering.Protocol;
using Google.Protobuf.WellKnownTypes;

namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>A composition whose mode is <c>Pipeline</c>.</summary>
internal sealed class CompositionPipeline
{
    private CompositionPipeline(JsonObject source, PipelineStep[] steps)
    {
        Source = source;
        Steps = steps;
    }

    public JsonObject Source { get; }

    public string Name => Source.Name();

    public IReadOnlyList<PipelineStep> Steps { get; }

    /// <summary>The namespace to which composite resources write their connection Secrets; empty when the composition names none.</summary>
    public string ConnectionSecretNamespace => Source.Child("spec").Text("writeConnectionSecretsToNamespace");

    /// <summary>Reads a composition.</summary>
    /// <exception cref="RenderException">It is none (<c>CompositionInvalid</c>), or its mode is another one (<c>CompositionModeUnsupported</c>).</exception>
    public static CompositionPipeline Read(JsonObject composition)
    {
        string? fault = composition.FindFault();
        if (fault is null && (composition.Kind() != "Composition" || composition.ApiVersion() != "apiextensions.crossplane.io/v1"))
        {
            fault = $"it is a {composition.Kind()} of '{composition.ApiVersion()}', but a Composition of 'apiextensions.crossplane.io/v1' was expected";
        }

        if (fault is not null)
        {
            throw new RenderException("CompositionInvalid", FaultKind.InvalidData, $"The composition '{composition.Name()}' cannot be read: {fault}.", composition);
        }

        string mode = composition.Child("spec").Text("mode");
        if (mode is not ("" or "Pipeline"))
        {
            throw new RenderException(
                "CompositionModeUnsupported",
                FaultKind.InvalidData,
                $"Composition '{composition.Name()}' has spec.mode '{mode}', but only pipelines of functions can be rendered. Use spec.mode 'Pipeline'.",
                composition);
        }

        return new CompositionPipeline(composition, new StepReader(composition).Read());
    }

    /// <summary>Checks that the composition is one for a composite resource: by type, and by the labels that the resource selects.</summary>
    /// <exception cref="RenderException">It is not (<c>CompositionMismatch</c>).</exception>
    public void CheckFits(CompositeResource composite)
    {
        JsonObject? type = Source.Child("spec").Child("compositeTypeRef");
        if (type.Text("apiVersion") != composite.Source.ApiVersion() || type.Text("kind") != composite.Source.Kind())
        {
            throw Mismatch($"is for {type.Text("kind")} of '{type.Text("apiVersion")}' (spec.compositeTypeRef), but the composite resource is {composite.Source.Kind()} of '{composite.Source.ApiVersion()}'");
        }

        foreach ((string key, JsonNode? wanted) in composite.Machinery.Child("compositionSelector").Child("matchLabels") ?? [])
        {
            string value = Source.Label(key);
            if (value != wanted?.ToString())
            {
                throw Mismatch($"has the label '{key}' with the value '{value}', but the composite resource selects compositions whose value is '{wanted}'");
            }
        }

        RenderException Mismatch(string problem) =>
            new("CompositionMismatch", FaultKind.InvalidArgument, $"Composition '{Name}' {problem}.", Source);
    }

    private sealed class StepReader(JsonObject composition)
    {
        public PipelineStep[] Read()
        {
            JsonArray list = composition.Child("spec")?["pipeline"] as JsonArray ?? throw Invalid("spec.pipeline", "a list of steps was expected");
            PipelineStep[] steps = [.. list.Select((step, index) => ReadStep(step, $"spec.pipeline[{index}]"))];
            string? twice = steps.GroupBy(step => step.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key;
            return twice is null ? steps : throw Invalid("spec.pipeline", $"two steps have the name '{twice}'");
        }

        private PipelineStep ReadStep(JsonNode? node, string path)
        {
            JsonObject step = AsObject(node, path);
            JsonObject? requirements = step.Child("requirements");
            return new PipelineStep
            {
                Name = Required(step, "step", path),
                Function = Required(AsObject(step["functionRef"], path + ".functionRef"), "name", path + ".functionRef"),
                Input = step["input"] is { } input ? ReadInput(AsObject(input, path + ".input"), path + ".input") : null,
                Credentials = [.. ReadCredentials(step, path)],
                RequiredResources = [.. List(requirements, "requiredResources", path + ".requirements").Select(item => ReadResourceSelector(item.Value, item.Path))],
                RequiredSchemas = [.. List(requirements, "requiredSchemas", path + ".requirements").Select(item => ReadSchemaSelector(item.Value, item.Path))],
            };
        }

        private Struct ReadInput(JsonObject input, string path)
        {
            try
            {
                return StructConverter.ToStruct(input);
            }
            catch (FunctionBuildException fault)
            {
                throw Invalid(path, fault.Message.TrimEnd('.'), fault);
            }
        }

        private IEnumerable<StepCredential> ReadCredentials(JsonObject step, string path)
        {
            foreach ((JsonObject credential, string at) in List(step, "credentials", path))
            {
                string name = Required(credential, "name", at);
                switch (Required(credential, "source", at))
                {
                    case "None":
                        break;
                    case "Secret":
                        JsonObject secret = AsObject(credential["secretRef"], at + ".secretRef");
                        yield return new StepCredential(name, secret.Text("namespace"), Required(secret, "name", at + ".secretRef"));
                        break;
                    default:
                        throw Invalid(at + ".source", "'None' or 'Secret' was expected");
                }
            }
        }

        private KeyValuePair<string, ResourceSelector> ReadResourceSelector(JsonObject source, string path)
        {
            Required(source, "apiVersion", path);
            Required(source, "kind", path);
            foreach (string field in (string[])["name", "namespace"])
            {
                // Without it the selector would find more than was meant.
                if (source[field] is not null)
                {
                    Required(source, field, path);
                }
            }

            if (source["matchLabels"] is { } labels)
            {
                foreach ((string key, JsonNode? value) in AsObject(labels, path + ".matchLabels"))
                {
                    if (value?.GetValueKind() != JsonValueKind.String)
                    {
                        throw Invalid($"{path}.matchLabels.{key}", "a text was expected");
                    }
                }
            }

            return new(Required(source, "requirementName", path), Selectors.OfResource(source));
        }

        private KeyValuePair<string, SchemaSelector> ReadSchemaSelector(JsonObject source, string path)
        {
            Required(source, "apiVersion", path);
            Required(source, "kind", path);
            return new(Required(source, "requirementName", path), Selectors.OfSchema(source));
        }

        private IEnumerable<(JsonObject Value, string Path)> List(JsonObject? source, string field, string path) =>
            source?[field] switch
            {
                null => [],
                JsonArray list => list.Select((item, index) => (AsObject(item, $"{path}.{field}[{index}]"), $"{path}.{field}[{index}]")),
                _ => throw Invalid($"{path}.{field}", "a list was expected"),
            };

        private JsonObject AsObject(JsonNode? node, string path) => node as JsonObject ?? throw Invalid(path, "an object was expected");

        private string Required(JsonObject source, string field, string path) =>
            source.Text(field) is { Length: > 0 } text ? text : throw Invalid($"{path}.{field}", "a text was expected");

        private RenderException Invalid(string path, string problem, Exception? cause = null) =>
            new("CompositionInvalid", FaultKind.InvalidData, $"Composition '{composition.Name()}', field '{path}': {problem}.", composition, cause);
    }
}
