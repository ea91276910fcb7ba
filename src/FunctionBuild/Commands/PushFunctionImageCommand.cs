using System.Management.Automation;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using FunctionBuild.Core;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Registry.Authentication;
using FunctionBuild.Shell;

namespace FunctionBuild.Commands;

/// <summary>Publishes function images to registries.</summary>
[Cmdlet(VerbsCommon.Push, "FunctionImage", SupportsShouldProcess = true)]
[OutputType(typeof(PushResult), typeof(FunctionImage))]
public sealed class PushFunctionImageCommand : AsyncCommand
{
    // As Docker's credential helpers tell an identity token from a password.
    private const string IdentityTokenUser = "<token>";

    private readonly List<FunctionImage> _images = [];
    private readonly PushProgress _progress = new();
    private X509Certificate2Collection _authorities = [];

    /// <summary>The function images; all are pushed together.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public FunctionImage[] InputObject { get; set; } = [];

    /// <summary>The repository, instead of the one for which the function was built.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Repository { get; set; }

    /// <summary>The tags.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Tag { get; set; }

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
    protected override void ProcessRecord() => _images.AddRange(InputObject);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_images.Count == 0)
        {
            WriteWarning("No function images came, so nothing was pushed.");
            return;
        }

        EndOnFault(() =>
        {
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
        Wait(async cancellation => outcomes = await ImagePusher.PlanAsync(requests, Options, cancellation).ConfigureAwait(false));
        var confirmed = new List<PushRequest>();
        foreach (PushOutcome<PushPlan> outcome in outcomes)
        {
            if (outcome.Value is not { } plan)
            {
                WriteFault(outcome.Error!, outcome.Request.Image);
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
        Wait(async cancellation =>
        {
            IReadOnlyList<PushOutcome<PushResult>> outcomes = await ImagePusher.PushAsync(requests, Options, _progress, cancellation).ConfigureAwait(false);
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
            WriteFault(outcome.Error!, outcome.Request.Image);
            return;
        }

        WriteVerbose($"Pushed {result}: {result.BlobsPushed} blobs sent, {result.BlobsMounted} mounted, {result.BlobsExisting} there; {ByteSize.Format(result.BytesSent)} travelled.");
        WriteObject(PassThru ? result.Image : result);
    }

    private bool Switch(string name, bool preference) =>
        MyInvocation.BoundParameters.TryGetValue(name, out object? given) ? LanguagePrimitives.IsTrue(given) : preference;
}
