using System.Management.Automation;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using FunctionBuild.Core;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Workspaces;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Publishes function images, and packages that were saved, to registries.</summary>
[Cmdlet(VerbsCommon.Push, "FunctionImage", DefaultParameterSetName = ImageSet, SupportsShouldProcess = true)]
[OutputType(typeof(PushResult), typeof(FunctionImage))]
public sealed class PushFunctionImageCommand : AsyncCommand
{
    private const string ImageSet = "InputObject";
    private const string PathSet = "Path";
    private const string LiteralSet = "LiteralPath";

    // As Docker's credential helpers tell an identity token from a password.
    private const string IdentityTokenUser = "<token>";

    private readonly List<FunctionImage> _images = [];
    private readonly List<InputFile> _files = [];
    private readonly Dictionary<FunctionImage, object> _sources = new(ReferenceEqualityComparer.Instance);
    private readonly PushProgress _progress = new();
    private X509Certificate2Collection _authorities = [];
    private BuildWorkspace? _workspace;
    private bool _isReading;
    private bool _emitted;

    /// <summary>The function images; all are pushed together.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ImageSet)]
    [ValidateNotNull]
    public FunctionImage[] InputObject { get; set; } = [];

    /// <summary>Package files; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [PathText]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Package files, taken as they are written.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The repository, instead of the one for which the function was built.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Repository { get; set; }

    /// <summary>The tags.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Tag { get; set; }

    /// <summary>Whose media types the manifests of package files get, which do not tell.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralSet)]
    public ManifestKind MediaType { get; set; } = ManifestKind.Docker;

    /// <summary>What one package file may decompress to, in bytes.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralSet)]
    [ValidateRange(1L, long.MaxValue)]
    public long MaximumExpandedSize { get; set; } = ImportOptions.DefaultMaximumExpandedSize;

    /// <summary>Who pushes.</summary>
    [Parameter]
    [ValidateNotNull]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>Permit plain HTTP to other machines.</summary>
    [Parameter]
    public SwitchParameter AllowInsecure { get; set; }

    /// <summary>Take any certificate.</summary>
    [Parameter]
    public SwitchParameter SkipCertificateCheck { get; set; }

    /// <summary>A file with the certificates of authorities to trust beside the system's.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CertificateAuthority { get; set; }

    /// <summary>How many requests run at a time.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int ThrottleLimit { get; set; } = new PushOptions().ThrottleLimit;

    /// <summary>Give the function images that were pushed, instead of results.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private PushOptions Options => new()
    {
        ThrottleLimit = ThrottleLimit,
        Registry = new RegistryOptions
        {
            Credential = Credential is null ? null : ToRegistryCredential(Credential),
            AllowInsecure = AllowInsecure,
            SkipCertificateCheck = SkipCertificateCheck,
            CertificateAuthorities = _authorities,
            WorkingDirectory = SessionState.Path.CurrentFileSystemLocation.ProviderPath,
            Report = message => Post(() => WriteVerbose(message)),
        },
    };

    // ShouldProcess says or asks something; otherwise the registry need not be asked beforehand what it has.
    private bool IsPlanShown =>
        Switch("WhatIf", LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference")))
        || Switch("Confirm", LanguagePrimitives.ConvertTo<ConfirmImpact>(GetVariableValue("ConfirmPreference", ConfirmImpact.High)) is ConfirmImpact.Low or ConfirmImpact.Medium);

    /// <inheritdoc/>
    protected override void BeginProcessing() => EndOnFault(() =>
    {
        foreach (string tag in Tag ?? [])
        {
            TagName.Check(tag);
        }

        if (Repository is not null)
        {
            RepositoryName.Check(Repository);
        }

        if (CertificateAuthority is not null)
        {
            _authorities = CertificateFile.Read(PathInput.Literal(this, CertificateAuthority));
        }
    });

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case PathSet:
                AddFiles(Path, path => PathInput.Expand(this, path));
                break;

            case LiteralSet:
                AddFiles(LiteralPath, path => [PathInput.Literal(this, path)]);
                break;

            default:
                ImageInput.AddAll(this, _images, InputObject);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_images.Count == 0 && _files.Count == 0)
        {
            WriteWarning("No function images came, so nothing was pushed.");
            return;
        }

        EndOnFault(() =>
        {
            if (_files.Count > 0)
            {
                ReadFiles();
            }

            if (_images.Count == 0)
            {
                return;
            }

            List<PushRequest> confirmed = IsPlanShown ? ConfirmPlans(ToRequests()) : ConfirmNames(ToRequests());
            if (confirmed.Count > 0)
            {
                Push(confirmed);
            }
        });
    }

    /// <inheritdoc/>
    protected override void ShowProgress()
    {
        if (_isReading)
        {
            ReportProgress(0, "Reading packages", _files.Sum(f => f.Progress.BytesRead), _files.Sum(f => f.Progress.TotalBytes));
            return;
        }

        IReadOnlyList<FunctionProgress> functions = _progress.Functions;
        ReportProgress(0, "Pushing function images", _progress.BytesDone, _progress.TotalBytes);
        for (int i = 0; i < functions.Count; i++)
        {
            FunctionProgress function = functions[i];
            if (function.BytesDone < function.TotalBytes)
            {
                ReportProgress(i + 1, function.Name, function.BytesDone, function.TotalBytes);
            }
            else
            {
                CompleteProgress(i + 1);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (X509Certificate2 authority in _authorities)
            {
                authority.Dispose();
            }

            // Nobody has a handle on a workspace of which no image was handed on.
            if (!_emitted)
            {
                _workspace?.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private static RegistryCredential ToRegistryCredential(PSCredential credential)
    {
        // PSCredential's own conversion would take a part of some user names for a domain.
        string secret = new NetworkCredential(string.Empty, credential.Password).Password;
        return credential.UserName == IdentityTokenUser
            ? RegistryCredential.ForIdentityToken(secret)
            : RegistryCredential.ForUser(credential.UserName, secret);
    }

    private static string Describe(PushPlan plan) => string.Join(", ", [
        $"Push {plan.Name}: {plan.Missing.Count} of {plan.Missing.Count + plan.Existing} blobs ({ByteSize.Format(plan.BytesMissing)})",
        .. plan.Mountable > 0 ? [$"{plan.Mountable} of them mounted where the registry can"] : Array.Empty<string>(),
        .. plan.Tags.Select(Describe),
    ]);

    private static string Describe(PlannedTag tag)
    {
        string name = ImageReference.Parse(tag.Reference).Tag!;
        return tag.Change switch
        {
            TagChange.New => $"new tag {name}",
            TagChange.Moves => $"tag {name} moves{(tag.Current is { } current ? $" from {current.ShortHex}" : string.Empty)}",
            _ => $"tag {name} stays",
        };
    }

    private void AddFiles(string[] given, Func<string, IReadOnlyList<string>> find)
    {
        foreach (string path in given)
        {
            try
            {
                _files.AddRange(find(path).Where(p => !_files.Exists(f => f.Path == p)).Select(p => new InputFile(p)));
            }
            catch (FunctionBuildException e)
            {
                // In the order of the inputs.
                _files.Add(new InputFile(path) { Fault = e });
            }
        }
    }

    /// <summary>Reads the package files, each once, into a workspace of this command, and takes their functions for its images.</summary>
    private void ReadFiles()
    {
        BuildWorkspace workspace = _workspace = BuildWorkspace.Create();
        var options = new PackageReadOptions { MediaType = MediaType, MaximumExpandedSize = MaximumExpandedSize };
        _isReading = true;
        Wait(cancellation => Parallel.ForEachAsync(
            _files.Where(f => f.Fault is null),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Min(ThrottleLimit, Environment.ProcessorCount), CancellationToken = cancellation },
            async (file, token) =>
            {
                try
                {
                    file.Package = await PackageReader.ReadAsync(workspace, file.Path, options, file.Progress, token).ConfigureAwait(false);
                }
                catch (FunctionBuildException e)
                {
                    file.Fault = e;
                }
            }));
        _isReading = false;
        foreach (InputFile file in _files)
        {
            AddImages(file);
        }

        if (Repository is not null)
        {
            JoinFiles(Repository);
        }
    }

    private void AddImages(InputFile file)
    {
        try
        {
            if (file.Package is { } package && Repository is null)
            {
                foreach (FunctionImage image in PackageReader.ToFunctions(package))
                {
                    Add(image, file.Path);
                }
            }
        }
        catch (FunctionBuildException e)
        {
            file.Fault = e;
        }

        if (file.Fault is not null)
        {
            WriteFault(file.Fault);
        }
    }

    // With -Repository the files are one function together, of which no part is pushed alone.
    private void JoinFiles(string repository)
    {
        List<PackageFile> packages = [.. _files.Select(f => f.Package).OfType<PackageFile>()];
        if (packages.Count == _files.Count)
        {
            Add(PackageReader.ToFunction(packages, repository), packages.Count == 1 ? packages[0].Path : packages.Select(p => p.Path).ToArray());
        }
        else if (packages.Count > 0)
        {
            throw new FunctionBuildException(
                "PackageIncomplete",
                FaultKind.InvalidOperation,
                $"Nothing was pushed to '{repository}': {_files.Count - packages.Count} of the {_files.Count} files, which make up one function there, cannot be read.",
                repository);
        }
    }

    private void Add(FunctionImage image, object source)
    {
        WriteVerbose($"{(source is string[] several ? string.Join(", ", several) : source)}: function '{image.Name}' for {string.Join(", ", image.Images.Select(i => i.Platform))}, {image.Digest}.");
        if (ImageInput.Add(this, _images, image))
        {
            _sources.Add(image, source);
        }
    }

    // What can be given to the command again: a file, or the function where it has a workspace.
    private object SourceOf(FunctionImage image) => _sources.TryGetValue(image, out object? source) ? source : image;

    private List<PushRequest> ToRequests()
    {
        if (Repository is not null && _images.Count > 1)
        {
            throw new FunctionBuildException(
                "RepositoryForSeveralFunctions",
                FaultKind.InvalidArgument,
                $"'{Repository}' is one repository, but {_images.Count} functions came: {string.Join(", ", _images.Select(i => i.Name))}. Push each with its own -Repository, or name the repository when building.",
                Repository);
        }

        IReadOnlyList<string> tags = Tag is null ? [PushRequest.DefaultTag(DateTimeOffset.UtcNow)] : [.. Tag.Distinct(StringComparer.Ordinal)];
        return [.. _images.Select(i => new PushRequest(i, tags) { Repository = Repository })];
    }

    private List<PushRequest> ConfirmNames(List<PushRequest> requests) =>
        [.. requests.Where(r => ShouldProcess(r.Repository ?? r.Image.Repository, $"Push {r.Image.Name} as {string.Join(", ", r.Tags)}"))];

    private List<PushRequest> ConfirmPlans(List<PushRequest> requests)
    {
        IReadOnlyList<PushOutcome<PushPlan>> outcomes = [];
        PushOptions options = Options;
        Wait(async cancellation => outcomes = await ImagePusher.PlanAsync(requests, options, cancellation).ConfigureAwait(false));
        var confirmed = new List<PushRequest>();
        foreach (PushOutcome<PushPlan> outcome in outcomes)
        {
            if (outcome.Value is not { } plan)
            {
                WriteFault(outcome.Error!, SourceOf(outcome.Request.Image));
            }
            else if (ShouldProcess(plan.Repository, Describe(plan)))
            {
                confirmed.Add(outcome.Request);
            }
        }

        return confirmed;
    }

    private void Push(List<PushRequest> requests)
    {
        PushOptions options = Options;
        Wait(async cancellation =>
        {
            IReadOnlyList<PushOutcome<PushResult>> outcomes = await ImagePusher.PushAsync(requests, options, _progress, cancellation).ConfigureAwait(false);
            Post(() =>
            {
                foreach (PushOutcome<PushResult> outcome in outcomes)
                {
                    Write(outcome);
                }
            });
        });
    }

    private void Write(PushOutcome<PushResult> outcome)
    {
        if (outcome.Value is not { } result)
        {
            WriteFault(outcome.Error!, SourceOf(outcome.Request.Image));
            return;
        }

        WriteVerbose($"Pushed {result}: {result.BlobsPushed} blobs sent, {result.BlobsMounted} mounted, {result.BlobsExisting} there; {ByteSize.Format(result.BytesSent)} travelled.");
        _emitted |= PassThru;
        WriteObject(PassThru ? result.Image : result);
    }

    private bool Switch(string name, bool preference) =>
        MyInvocation.BoundParameters.TryGetValue(name, out object? given) ? LanguagePrimitives.IsTrue(given) : preference;

    /// <summary>One package file.</summary>
    private sealed class InputFile(string path)
    {
        public string Path { get; } = path;

        public ImportProgress Progress { get; } = new();

        public PackageFile? Package { get; set; }

        public FunctionBuildException? Fault { get; set; }
    }
}
