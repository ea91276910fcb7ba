using System.Text.Json.Nodes;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Inputs;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering;

/// <summary>A render that was read and checked, with the functions that it needs.</summary>
public sealed class RenderPlan
{
    private RenderPlan(RenderRequest request, IReadOnlyList<FunctionStart> functions, int steps)
    {
        Request = request;
        Functions = ReadOnly.Copy(functions);
        Steps = steps;
    }

    /// <summary>What is rendered.</summary>
    public RenderRequest Request { get; }

    /// <summary>The functions that are started, in the order in which steps first use them.</summary>
    public IReadOnlyList<FunctionStart> Functions { get; }

    /// <summary>How many steps the pipeline has.</summary>
    public int Steps { get; }

    /// <summary>The composite resource's kind and name.</summary>
    public string Name => $"{Request.CompositeResource.Kind()} {Request.CompositeResource.Name()}";

    /// <summary>Checks a request, and finds its functions.</summary>
    internal static RenderPlan Make(RenderRequest request, IReadOnlyList<FunctionImage> images, IReadOnlyList<FunctionManifest> manifests, RenderOptions options)
    {
        if (options.CrossplaneBinary is not null && (options.NeedsContext || request.Context is not null))
        {
            throw new FunctionBuildException("ContextNotSupported", FaultKind.InvalidArgument, "A crossplane binary takes no context and gives none. Leave out the context, or the binary.", options.CrossplaneBinary);
        }

        if (options is { HostNetwork: true, Runtime: RuntimeChoice.Docker or RuntimeChoice.Development })
        {
            throw new FunctionBuildException("HostNetworkNotSupported", FaultKind.InvalidArgument, $"The machine's network can be shared with functions that an OCI runtime runs, and the runtime is {options.Runtime}.", options.Runtime);
        }

        CompositeRenderer.Check(request);
        (string Step, string Function)[] steps =
        [
            .. (request.Composition.Child("spec")?["pipeline"] as JsonArray ?? [])
                .OfType<JsonObject>()
                .Select(s => (s.Text("step"), s.Child("functionRef").Text("name"))),
        ];
        Action<string> report = options.Report ?? (_ => { });
        IReadOnlyList<FunctionStart> functions = new FunctionMatcher(images, manifests, report) { IsDevelopment = options.Runtime == RuntimeChoice.Development }.Match(steps);
        if (options.Runtime == RuntimeChoice.Development)
        {
            CheckTargets(functions);
        }

        foreach (FunctionManifest manifest in manifests)
        {
            if (functions.FirstOrDefault(f => f.Name == manifest.Name) is not { } function)
            {
                report($"{manifest.Name} of the functions file is not started: no step uses it.");
            }
            else
            {
                if (manifest.Start.DevelopmentTarget is { } place && options.Runtime != RuntimeChoice.Development && function.Image is not null)
                {
                    options.Warn?.Invoke($"The Function '{manifest.Name}' is said to listen on {place}, but its package came too, and that is what is run. Leave the package out, or use -Runtime Development.");
                }

                foreach (string annotation in manifest.UnusedAnnotations)
                {
                    options.Warn?.Invoke($"The annotation '{annotation}' of the Function '{manifest.Name}' is not supported and has no effect.");
                }
            }
        }

        return new RenderPlan(request, functions, steps.Length);
    }

    // One function can be where functions listen when nothing is said, but not two.
    private static void CheckTargets(IReadOnlyList<FunctionStart> functions)
    {
        string[] unsaid = [.. functions.Where(f => f.DevelopmentTarget is null).Select(f => f.Name)];
        if (unsaid.Length > 1)
        {
            throw new FunctionBuildException("DevelopmentTargetMissing", FaultKind.InvalidArgument, $"It is not said where these functions listen: {string.Join(", ", unsaid)}. Describe them in a functions file, with the annotation 'render.crossplane.io/runtime-development-target'.", unsaid[0]);
        }
    }
}
