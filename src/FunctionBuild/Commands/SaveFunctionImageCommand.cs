using System.Management.Automation;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Saving;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Writes function images to a package file, an OCI layout or a Docker archive.</summary>
[Cmdlet(VerbsData.Save, "FunctionImage", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo), typeof(DirectoryInfo))]
public sealed class SaveFunctionImageCommand : AsyncCommand
{
    private readonly List<FunctionImage> _images = [];
    private long _written;
    private long _total;

    /// <summary>The function images; all go to one target.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public FunctionImage[] InputObject { get; set; } = [];

    /// <summary>The file, or for an OCI layout the folder.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = string.Empty;

    /// <summary>The format; told by the path's extension when not given.</summary>
    [Parameter]
    public SaveFormat? Format { get; set; }

    /// <summary>Replace what stands at the path.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Create missing parent folders.</summary>
    [Parameter]
    public SwitchParameter CreateDirectory { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => ImageInput.AddAll(this, _images, InputObject);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_images.Count == 0)
        {
            WriteWarning($"No function images came, so '{Path}' was not written.");
            return;
        }

        EndOnFault(Save);
    }

    /// <inheritdoc/>
    protected override void ShowProgress() => ReportProgress(0, "Saving function images", Interlocked.Read(ref _written), _total);

    private void Save()
    {
        string path = PathInput.Literal(this, Path);
        SaveFormat format = Format ?? ImageSaver.FormatOf(path);
        var options = new SaveOptions { Path = path, Format = format, Force = Force, CreateDirectory = CreateDirectory };
        if (!ShouldProcess(path, $"Save {string.Join(", ", _images.Select(i => i.Name))} as {format}"))
        {
            return;
        }

        _total = ImageSaver.SizeOf(_images);
        Wait(async cancellation =>
        {
            await ImageSaver.SaveAsync(_images, options, bytes => Interlocked.Add(ref _written, bytes), cancellation).ConfigureAwait(false);
            Post(() =>
            {
                WriteVerbose($"Saved {_images.Count} function images to '{path}' as {format}: {ByteSize.Format(_written)} of distinct layers.");

                // As Get-Item gives it, with what the views of files show.
                WriteObject(InvokeProvider.Item.Get([path], force: true, literalPath: true), enumerateCollection: true);
            });
        });
    }
}
