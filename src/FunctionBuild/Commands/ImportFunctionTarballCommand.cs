using System.Globalization;
using System.Management.Automation;
using FunctionBuild.Core;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Workspaces;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Reads image tarballs into a workspace, each exactly once.</summary>
[Cmdlet(VerbsData.Import, "FunctionTarball", DefaultParameterSetName = PathSet)]
[OutputType(typeof(RuntimeImage))]
public sealed class ImportFunctionTarballCommand : AsyncCommand
{
    private const string PathSet = "Path";
    private const string LiteralSet = "LiteralPath";
    private const string PrefixSet = "PathPrefix";

    private readonly List<Input> _inputs = [];
    private ThrottledQueue<Outcome>? _queue;
    private BuildWorkspace? _workspace;
    private Task<IReadOnlyList<StaleWorkspace>>? _sweep;
    private bool _emitted;

    /// <summary>Tarballs; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Tarballs, taken as they are written.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Tarballs without architecture and ending: <c>build/function-hello</c> stands for <c>build/function-hello-amd64.tar.gz</c>.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PrefixSet)]
    [ValidateNotNullOrEmpty]
    public string[] PathPrefix { get; set; } = [];

    /// <summary>The architectures for which a tarball is looked for.</summary>
    [Parameter(ParameterSetName = PrefixSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public string[] Architecture { get; set; } = ["amd64", "arm64"];

    /// <summary>The function's name; told by each file's name when not given.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The workspace that takes the layers; a new one when not given.</summary>
    [Parameter]
    [ValidateNotNull]
    [WorkspaceTransform]
    [ArgumentCompleter(typeof(WorkspaceIdCompleter))]
    public BuildWorkspace? Workspace { get; set; }

    /// <summary>How many tarballs are read at a time.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int ThrottleLimit { get; set; } = Environment.ProcessorCount;

    /// <summary>What one tarball may decompress to, in bytes.</summary>
    [Parameter]
    [ValidateRange(1L, long.MaxValue)]
    public long MaximumExpandedSize { get; set; } = ImportOptions.DefaultMaximumExpandedSize;

    /// <inheritdoc/>
    protected override void BeginProcessing() =>
        _queue = new ThrottledQueue<Outcome>(ThrottleLimit, outcome => Post(() => Emit(outcome)), Cancellation);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case LiteralSet:
                AddAll(LiteralPath, path => [PathInput.Literal(this, path)], null);
                break;

            case PrefixSet:
                foreach (string architecture in Architecture.Select(a => a.ToLowerInvariant()))
                {
                    AddAll(PathPrefix, prefix => [TarballNaming.Find(PathInput.Literal(this, prefix), architecture)], architecture);
                }

                break;

            default:
                AddAll(Path, path => PathInput.Expand(this, path), null);
                break;
        }

        ServePosted();
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        WaitFor(_queue!.Completion);
        ReportSweep();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (_queue is not null)
            {
                Abandon(_queue.Completion);
                _queue.Dispose();
            }

            // Nobody has a handle on a workspace of which no image was handed on.
            if (!_emitted && Workspace is null)
            {
                _workspace?.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override void ShowProgress()
    {
        string done = $"{_inputs.Count(i => i.Done)} of {_inputs.Count} files, ";
        ReportProgress(0, "Importing tarballs", _inputs.Sum(i => i.Progress.BytesRead), _inputs.Sum(i => i.Progress.TotalBytes), done);
        foreach (Input input in _inputs)
        {
            if (input.Done)
            {
                CompleteProgress(input.Number);
            }
            else
            {
                ReportProgress(input.Number, System.IO.Path.GetFileName(input.Path), input.Progress.BytesRead, input.Progress.TotalBytes);
            }
        }
    }

    private void AddAll(string[] given, Func<string, IReadOnlyList<string>> find, string? architecture)
    {
        foreach (string path in given)
        {
            try
            {
                foreach (string file in find(path))
                {
                    Add(file, architecture);
                }
            }
            catch (FunctionBuildException e)
            {
                // In the order of the inputs, like the images.
                _queue!.Add(_ => Task.FromResult(new Outcome(null, [], e)));
            }
        }
    }

    private void Add(string path, string? architecture)
    {
        BuildWorkspace workspace = _workspace ??= OpenWorkspace();
        var input = new Input(path, _inputs.Count + 1);
        _inputs.Add(input);
        var options = new ImportOptions { Name = Name, Architecture = architecture, MaximumExpandedSize = MaximumExpandedSize, Report = message => Post(() => WriteVerbose(message)) };
        _queue!.Add(async cancellation =>
        {
            try
            {
                return new Outcome(input, await TarballImporter.ImportAsync(workspace, path, options, input.Progress, cancellation).ConfigureAwait(false), null);
            }
            catch (FunctionBuildException e)
            {
                return new Outcome(input, [], e);
            }
            finally
            {
                input.Done = true;
            }
        });
    }

    private BuildWorkspace OpenWorkspace()
    {
        BuildWorkspace workspace = Workspace ?? NewWorkspace();
        string root = System.IO.Path.GetDirectoryName(workspace.Path)!;
        _sweep = Task.Run(() => WorkspaceSession.SweepOnce(root));
        WriteVerbose(Workspace is null
            ? $"Importing into the new workspace {workspace.Id} ('{workspace.Path}'), because no -Workspace was given."
            : $"Importing into the workspace {workspace.Id} ('{workspace.Path}').");
        return workspace;
    }

    private BuildWorkspace NewWorkspace()
    {
        try
        {
            return BuildWorkspace.Create();
        }
        catch (FunctionBuildException e)
        {
            ThrowTerminatingError(Faults.ToRecord(e));
            throw;
        }
    }

    private void Emit(Outcome outcome)
    {
        if (outcome.Fault is not null)
        {
            WriteFault(outcome.Fault);
            return;
        }

        foreach (RuntimeImage image in outcome.Images)
        {
            WriteVerbose(string.Create(
                CultureInfo.InvariantCulture,
                $"'{image.Source}': {ByteSize.Format(outcome.Input!.Progress.BytesRead)} read once; function '{image.Name}' for {image.Platform}, {image.Layers.Count} layers, {ByteSize.Format(image.Size)}."));
        }

        _emitted |= outcome.Images.Count > 0;
        WriteObject(outcome.Images, enumerateCollection: true);
    }

    /// <summary>Tells what the sweep, which runs beside the import, removed.</summary>
    private void ReportSweep()
    {
        if (_sweep is null)
        {
            return;
        }

        try
        {
            WaitFor(_sweep);
            foreach (StaleWorkspace stale in _sweep.Result)
            {
                WriteVerbose($"Removed the workspace {stale.Id} ('{stale.Path}'), {ByteSize.Format(stale.Size)}, which a dead session had left.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WriteWarning($"What a dead session left cannot be removed: {e.Message} Remove-BuildWorkspace -Stale tries again.");
        }
    }

    /// <summary>One tarball to read.</summary>
    private sealed class Input(string path, int number)
    {
        public string Path { get; } = path;

        public int Number { get; } = number;

        public ImportProgress Progress { get; } = new();

        public bool Done { get; set; }
    }

    /// <summary>What one input gave: images, or what is wrong with it.</summary>
    private sealed record Outcome(Input? Input, IReadOnlyList<RuntimeImage> Images, FunctionBuildException? Fault);
}
