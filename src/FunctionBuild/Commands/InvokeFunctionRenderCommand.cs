using System.Collections;
using System.Management.Automation;
using System.Text.Json.Nodes;
using FunctionBuild.Core;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Rendering;
using FunctionBuild.Core.Rendering.Inputs;
using FunctionBuild.Core.Rendering.Output;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Runs a composition's pipeline against function images, without a cluster.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "FunctionRender", SupportsShouldProcess = true)]
[OutputType(RenderedObject.TypeName)]
[OutputType(typeof(FunctionImage))]
public sealed class InvokeFunctionRenderCommand : AsyncCommand
{
    private readonly List<FunctionImage> _images = [];
    private readonly RenderProgress _progress = new();

    /// <summary>The images of functions; all that come are collected.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNull]
    public FunctionImage[] InputObject { get; set; } = [];

    /// <summary>The composite resource: a path, YAML or JSON, or an object.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNull]
    [Alias("XR")]
    public object CompositeResource { get; set; } = string.Empty;

    /// <summary>The composition: a path, YAML or JSON, or an object.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNull]
    public object Composition { get; set; } = string.Empty;

    /// <summary>Functions that do not come through the pipeline, and how functions are run.</summary>
    [Parameter(Position = 2)]
    [ValidateNotNull]
    public object[]? Function { get; set; }

    /// <summary>Composed resources that exist already.</summary>
    [Parameter]
    [ValidateNotNull]
    public object[]? ObservedResource { get; set; }

    /// <summary>Resources that functions may require.</summary>
    [Parameter]
    [ValidateNotNull]
    [Alias("ExtraResource")]
    public object[]? RequiredResource { get; set; }

    /// <summary>OpenAPI v3 documents that functions may require.</summary>
    [Parameter]
    [ValidateNotNull]
    public object[]? RequiredSchema { get; set; }

    /// <summary>Secrets that pipeline steps name as credentials.</summary>
    [Parameter]
    [ValidateNotNull]
    public object[]? FunctionCredential { get; set; }

    /// <summary>Values of the pipeline's context, by key.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? ContextValue { get; set; }

    /// <summary>Files with values of the pipeline's context, by key.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? ContextFile { get; set; }

    /// <summary>The composite resource's definition.</summary>
    [Parameter]
    [ValidateNotNull]
    [Alias("Xrd")]
    public object? CompositeResourceDefinition { get; set; }

    /// <summary>Give all of the composite resource, not only what changed.</summary>
    [Parameter]
    public SwitchParameter IncludeFullXR { get; set; }

    /// <summary>Give what functions reported, too.</summary>
    [Parameter]
    public SwitchParameter IncludeFunctionResults { get; set; }

    /// <summary>Give the context that the last step left, too.</summary>
    [Parameter]
    public SwitchParameter IncludeContext { get; set; }

    /// <summary>How long it may take, a duration or a number of seconds.</summary>
    [Parameter]
    [SecondsTransform]
    public TimeSpan Timeout { get; set; } = new RenderOptions().Timeout;

    /// <summary>What runs the functions.</summary>
    [Parameter]
    public RuntimeChoice Runtime { get; set; } = RuntimeChoice.Auto;

    /// <summary>Functions of an OCI runtime use the machine's network.</summary>
    [Parameter]
    public SwitchParameter HostNetwork { get; set; }

    /// <summary>A crossplane program whose controller renders.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CrossplaneBinary { get; set; }

    /// <summary>A file to write to.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? OutFile { get; set; }

    /// <summary>Give the function images instead of what was rendered.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private RenderedContent Content =>
        (IncludeFullXR ? RenderedContent.FullComposite : RenderedContent.None)
        | (IncludeFunctionResults ? RenderedContent.FunctionResults : RenderedContent.None)
        | (IncludeContext ? RenderedContent.Context : RenderedContent.None);

    /// <inheritdoc/>
    protected override void ProcessRecord() => ImageInput.AddAll(this, _images, InputObject);

    /// <inheritdoc/>
    protected override void EndProcessing() => EndOnFault(Render);

    /// <inheritdoc/>
    protected override void ShowProgress()
    {
        RenderStage stage = _progress.Stage;
        ReportStage(0, "Rendering", stage.Text, stage.Total == 0 ? -1 : 100 * stage.Done / stage.Total);
    }

    private void Render()
    {
        RenderOptions options = ToOptions();
        RenderInputs inputs = ToInputs();
        string? file = OutFile is null ? null : PathInput.Literal(this, OutFile);
        if (file is not null)
        {
            RenderedFile.Check(file);
        }

        RenderPlan? plan = null;
        Wait(async cancellation => plan = await inputs.ReadAsync(options, cancellation).ConfigureAwait(false));
        if (ShouldProcess(plan!.Name, Describe(plan, file)))
        {
            RenderResult result = Run(plan, options);
            IReadOnlyList<JsonObject> documents = RenderedDocuments.Of(result, plan.Request, Content);
            if (file is not null)
            {
                Wait(cancellation => RenderedFile.WriteAsync(file, documents, cancellation));
                WriteVerbose($"Wrote {documents.Count} documents to '{file}'.");
            }

            WriteObject(PassThru ? _images : documents.Select(RenderedObject.Create), enumerateCollection: true);
        }
    }

    private RenderResult Run(RenderPlan plan, RenderOptions options)
    {
        RenderResult? result = null;
        try
        {
            Wait(async cancellation => result = await FunctionRender.RunAsync(plan, options, cancellation).ConfigureAwait(false));
        }
        catch (RenderException e)
        {
            Tell(e.EventsBefore);
            throw;
        }

        Tell(result!.Events);
        foreach (JsonObject deleted in result.DeletedResources)
        {
            WriteWarning($"No longer desired, and would be deleted: {deleted["kind"]} {deleted["metadata"]?["name"]}.");
        }

        return result;
    }

    private RenderOptions ToOptions() => new()
    {
        Runtime = Runtime,
        HostNetwork = HostNetwork,
        CrossplaneBinary = CrossplaneBinary is null ? null : Program(CrossplaneBinary),
        Timeout = Timeout > TimeSpan.Zero && Timeout.TotalMilliseconds <= int.MaxValue
            ? Timeout
            : throw new FunctionBuildException("InvalidTimeout", FaultKind.InvalidArgument, $"-Timeout is {Timeout}; expected is more than nothing, and less than 24 days.", Timeout),
        NeedsContext = IncludeContext,
        WorkingDirectory = SessionState.Path.CurrentFileSystemLocation.ProviderPath,
        Report = message => Post(() => WriteVerbose(message)),
        Warn = message => Post(() => WriteWarning(message)),
        Progress = _progress,
    };

    private RenderInputs ToInputs() => new()
    {
        CompositeResource = ObjectInput.ReadOne(this, CompositeResource, nameof(CompositeResource)),
        Composition = ObjectInput.ReadOne(this, Composition, nameof(Composition)),
        Images = _images,
        Functions = ObjectInput.Read(this, Function, nameof(Function)),
        ObservedResources = ObjectInput.Read(this, ObservedResource, nameof(ObservedResource)),
        RequiredResources = ObjectInput.Read(this, RequiredResource, nameof(RequiredResource)),
        RequiredSchemas = ObjectInput.Read(this, RequiredSchema, nameof(RequiredSchema)),
        Credentials = ObjectInput.Read(this, FunctionCredential, nameof(FunctionCredential)),
        CompositeResourceDefinition = CompositeResourceDefinition is null ? null : ObjectInput.ReadOne(this, CompositeResourceDefinition, nameof(CompositeResourceDefinition)),
        Context = [.. ObjectInput.Files(this, ContextFile, nameof(ContextFile)), .. ObjectInput.Values(ContextValue, nameof(ContextValue))],
    };

    // A name without a folder is looked up in the PATH, as the shell does.
    private string Program(string name)
    {
        CommandInfo? found = Path.GetFileName(name) == name ? InvokeCommand.GetCommand(name, CommandTypes.Application) : null;
        return found is ApplicationInfo application ? application.Path : PathInput.Literal(this, name);
    }

    private static string Describe(RenderPlan plan, string? file)
    {
        string functions = plan.Functions.Count == 0 ? "no functions" : string.Join(", ", plan.Functions.Select(f => f.Name));
        return $"Render with {functions}{(file is null ? string.Empty : $" and write '{file}'")}";
    }

    private void Tell(IReadOnlyList<RenderEvent> events)
    {
        foreach (RenderEvent told in events)
        {
            if (told.Type == "Warning")
            {
                WriteWarning(told.Message);
            }
            else
            {
                WriteVerbose($"{told.Reason}: {told.Message}");
            }
        }
    }
}
