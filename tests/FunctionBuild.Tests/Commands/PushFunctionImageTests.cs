using System.Management.Automation;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Tests.Registry;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

public sealed class PushFunctionImageTests : IAsyncLifetime
{
    private const string Password = "not-to-be-printed";

    private readonly ModuleSession _session = new();
    private readonly PSCredential _credential = new("releaser", new NetworkCredential(string.Empty, Password).SecurePassword);
    private FakeRegistry _registry = null!;

    public async ValueTask InitializeAsync()
    {
        foreach (string name in (string[])["function-a", "function-b"])
        {
            Tarballs.Write(_session.Folder, name, "amd64");
            Tarballs.Write(_session.Folder, name, "arm64");
        }

        _registry = await FakeRegistry.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        _session.Dispose();
    }

    [Fact]
    public void A_function_is_pushed_and_told_of()
    {
        PushResult result = Assert.Single(Results(_session.Get(One() + "Push-FunctionImage -Tag v1")));

        Assert.Equal($"{_registry.Host}/acme/platform_function-a:v1", result.Reference);
        Assert.Equal(["acme/platform_function-a:v1"], _registry.Tags);
        Assert.Equal(["amd64", "arm64"], result.Images.Select(i => i.Platform.Architecture).Order(StringComparer.Ordinal));
        Assert.Equal((result.Image.Images.SelectMany(Blobs).Distinct().Count(), 0, 0), (result.BlobsPushed, result.BlobsMounted, result.BlobsExisting));
        Assert.True(result.BytesSent > 0);
        Assert.NotNull(_registry.Manifest("acme/platform_function-a", result.Digest.ToString()));
    }

    [Fact]
    public void A_second_push_sends_nothing()
    {
        PushResult[] results = Results(_session.Get("$f = " + One() + "ForEach-Object { $_ }; $f | Push-FunctionImage -Tag v1; $f | Push-FunctionImage -Tag v1"));

        Assert.Equal((0, 0L), (results[1].BlobsPushed, results[1].BytesSent));
        Assert.Equal(results[0].BlobsPushed, results[1].BlobsExisting);
    }

    [Fact]
    public void Functions_that_are_pushed_together_share_blobs()
    {
        PushResult[] results = Results(_session.Get(Both() + "Push-FunctionImage -Tag v1"));

        Assert.Equal(["function-a", "function-b"], results.Select(r => r.Name));
        Assert.Equal(["acme/platform_function-a:v1", "acme/platform_function-b:v1"], _registry.Tags);
        Assert.Equal(results.SelectMany(r => r.Image.Images).SelectMany(Blobs).Distinct().Count(), results.Sum(r => r.BlobsPushed));
        Assert.True(results.Sum(r => r.BlobsMounted) > 0);
    }

    [Theory]
    [InlineData("$f, $f | Push-FunctionImage -Tag v1")]
    [InlineData("Push-FunctionImage -InputObject $f, $f -Tag v1")]
    [InlineData("$f, $f | Push-FunctionImage -Tag v1 -Repository $r/acme/platform_function-a")]
    [InlineData("$null = ($f | Save-FunctionImage a.xpkg), ($f | Save-FunctionImage b.xpkg); Push-FunctionImage a.xpkg, b.xpkg -Tag v1")]
    public void The_same_image_is_pushed_once_however_often_it_comes(string script)
    {
        Assert.Single(Results(_session.Get($"$r = '{_registry.Host}'; $f = {One()} ForEach-Object {{ $_ }}; {script}")));

        Assert.Equal(["acme/platform_function-a:v1"], _registry.Tags);
        Assert.Equal(1, _registry.Count("PUT", "/manifests/v1"));
    }

    [Fact]
    public void The_same_image_takes_no_place_of_one_whose_workspace_is_gone()
    {
        ShellResult result = _session.Run($"$gone = {One()} ForEach-Object {{ $_ }}; $gone | Remove-BuildWorkspace; $there = {One()} ForEach-Object {{ $_ }}; $gone, $there | Push-FunctionImage -Tag v1");

        Assert.Equal(["WorkspaceRemoved"], result.ErrorIds);
        Assert.Single(Results(result.Output));
    }

    [Fact]
    public void All_tags_point_at_the_index()
    {
        PushResult result = Assert.Single(Results(_session.Get(One() + "Push-FunctionImage -Tag v1, latest, v1")));

        Assert.Equal(["acme/platform_function-a:latest", "acme/platform_function-a:v1"], _registry.Tags);
        Assert.Equal([$"{_registry.Host}/acme/platform_function-a:v1", $"{_registry.Host}/acme/platform_function-a:latest"], result.References);
    }

    [Fact]
    public void Without_tag_the_time_is_the_tag()
    {
        long before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        _session.Get(One() + "Push-FunctionImage");

        string tag = Assert.Single(_registry.Tags).Split(':')[1];
        Assert.StartsWith("v0.0.0-", tag, StringComparison.Ordinal);
        Assert.InRange(long.Parse(tag["v0.0.0-".Length..], System.Globalization.CultureInfo.InvariantCulture), before, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
    }

    [Fact]
    public void Another_repository_can_be_named_for_one_function()
    {
        _session.Get(One() + $"Push-FunctionImage -Tag v1 -Repository {_registry.Host}/else/where");
        ShellResult several = _session.Run(Both() + $"Push-FunctionImage -Tag v2 -Repository {_registry.Host}/else/where");

        Assert.Equal("RepositoryForSeveralFunctions", several.EndedBy);
        Assert.Equal(["else/where:v1"], _registry.Tags);
    }

    [Fact]
    public void PassThru_gives_the_functions_that_were_pushed_to_the_next_command()
    {
        _registry.Faults = r => r.Path.Value!.Contains("function-b", StringComparison.Ordinal) ? new Fault(FaultType.Status, 403) : null;
        ShellResult result = _session.Run(Both() + "Push-FunctionImage -Tag v1 -PassThru | ForEach-Object { $_; $_ | Save-FunctionImage a.xpkg }");

        Assert.Equal(["RegistryDenied"], result.ErrorIds);
        Assert.Equal("function-a", Assert.IsType<FunctionImage>(result.Output[0].BaseObject).Name);
        Assert.True(File.Exists(_session.Folder.Combine("a.xpkg")));
    }

    [Fact]
    public void WhatIf_asks_and_changes_nothing()
    {
        Assert.Empty(_session.Get(Both() + "Push-FunctionImage -Tag v1 -WhatIf"));

        Assert.True(_registry.Count("HEAD", "/blobs/") > 0);
        Assert.All(_registry.Requests, r => Assert.Matches("^(GET|HEAD) ", r));
    }

    [Fact]
    public async Task WhatIf_tells_what_would_travel()
    {
        _session.Get(One() + "Push-FunctionImage -Tag v1");
        string script = $"Import-FunctionTarball '{_session.Folder.Combine("*.tar.gz")}' | Build-FunctionImage {_registry.Host}/acme/platform | Push-FunctionImage -Tag v1, v2 -WhatIf";
        HostResult result = await HostProcess.RunIn(_session.Folder.Combine("workspaces"), "-Command", script);

        Assert.Equal((0, string.Empty), (result.ExitCode, result.Error));
        string text = result.Output.ReplaceLineEndings(" ");
        Assert.Matches(@"Push function-a: 0 of \d blobs \(0 B\), tag v1 stays, new tag v2", text);
        Assert.Matches(@"Push function-b: [1-9] of \d blobs \([1-9][\d.]* k?B\), \d of them mounted where the registry can, new tag v1, new tag v2", text);
    }

    [Fact]
    public void A_registry_that_refuses_one_function_takes_the_others()
    {
        _registry.Faults = r => r.Path.Value!.Contains("function-a", StringComparison.Ordinal) ? new Fault(FaultType.Status, 403, Body: FakeRegistry.Error("DENIED", "not yours")) : null;
        ShellResult result = _session.Run(Both() + "Push-FunctionImage -Tag v1");

        ErrorRecord error = Assert.Single(result.Errors);
        Assert.Equal(["RegistryDenied"], result.ErrorIds);
        Assert.Equal(ErrorCategory.PermissionDenied, error.CategoryInfo.Category);
        Assert.Equal("function-b", Assert.Single(Results(result.Output)).Name);
        Assert.Equal(["acme/platform_function-b:v1"], _registry.Tags);

        _registry.Faults = _ => null;
        _session.Get("$args[0].TargetObject | Push-FunctionImage -Tag v1", error);
        Assert.Equal(["acme/platform_function-a:v1", "acme/platform_function-b:v1"], _registry.Tags);
    }

    [Fact]
    public void A_registry_that_is_down_for_long_is_an_error()
    {
        _registry.Faults = _ => new Fault(FaultType.Status, 503, RetryAfter: "3600");
        ShellResult result = _session.Run(One() + "Push-FunctionImage -Tag v1");

        Assert.Equal(["RegistryUnavailable"], result.ErrorIds);
        Assert.Equal(ErrorCategory.ConnectionError, Assert.Single(result.Errors).CategoryInfo.Category);
    }

    [Fact]
    public void Retries_are_told_when_verbose()
    {
        int left = 1;
        _registry.Faults = r => r.Method == "PUT" && Interlocked.Decrement(ref left) >= 0 ? new Fault(FaultType.Status, 503) : null;
        ShellResult result = _session.Run(One() + "Push-FunctionImage -Tag v1 -Verbose");

        Assert.Single(Results(result.Output));
        Assert.Contains(result.Verbose, v => v.Contains("503", StringComparison.Ordinal));
    }

    [Fact]
    public void A_redirect_to_plain_HTTP_elsewhere_is_refused()
    {
        _registry.Redirect = "http://registry.invalid";
        _registry.Faults = r => r.Method == "HEAD" ? new Fault(FaultType.Status, 307) : null;
        ShellResult result = _session.Run(One() + "Push-FunctionImage -Tag v1");

        Assert.Equal(["InsecureRegistry"], result.ErrorIds);
        Assert.Contains("-AllowInsecure", Assert.Single(result.Errors).Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_credential_is_shown_to_the_registry_and_to_nobody_else()
    {
        string expected = "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"releaser:{Password}"));
        _registry.Authorize = shown => shown == expected;
        ShellResult result = _session.Run(One() + "Push-FunctionImage -Tag v1 -Verbose -Credential $args[0]", _credential);

        Assert.Null(result.Ended);
        Assert.Empty(result.Errors);
        Assert.Equal(["acme/platform_function-a:v1"], _registry.Tags);
        Assert.NotEmpty(result.Verbose);
        Assert.DoesNotContain(result.Verbose, v => v.Contains(Password, StringComparison.Ordinal) || v.Contains(expected["Basic ".Length..], StringComparison.Ordinal));
    }

    [Fact]
    public void A_credential_that_the_registry_does_not_take_is_an_error_without_the_secret()
    {
        _registry.Authorize = _ => false;
        ShellResult result = _session.Run(One() + "Push-FunctionImage -Tag v1 -Credential $args[0]", _credential);

        Assert.Equal(["RegistryUnauthorized"], result.ErrorIds);
        ErrorRecord error = Assert.Single(result.Errors);
        Assert.Equal(ErrorCategory.AuthenticationError, error.CategoryInfo.Category);
        Assert.DoesNotContain(Password, error.Exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_authority_must_be_named()
    {
        using var authority = new ThrowAwayAuthority();
        using X509Certificate2 certificate = authority.Issue(IPAddress.Loopback);
        await using FakeRegistry secure = await FakeRegistry.Start(certificate);
        _session.Folder.Write("ca.pem", System.Text.Encoding.ASCII.GetBytes(authority.Certificate.ExportCertificatePem()));
        _session.Folder.Write("ca.der", authority.Certificate.Export(X509ContentType.Cert));
        string push = $"Import-FunctionTarball -PathPrefix function-a | Build-FunctionImage -Repository {secure.Host}/acme/function-a | Push-FunctionImage ";

        ShellResult refused = _session.Run(push + "-Tag v1");
        _session.Get(push + "-Tag pem -CertificateAuthority ca.pem");
        _session.Get(push + "-Tag der -CertificateAuthority ca.der");
        _session.Get(push + "-Tag unchecked -SkipCertificateCheck");

        Assert.Equal(["RegistryCertificateInvalid"], refused.ErrorIds);
        Assert.Equal(["acme/function-a:der", "acme/function-a:pem", "acme/function-a:unchecked"], secure.Tags);
    }

    [Theory]
    [InlineData("-Tag 'v 1'", "InvalidTag")]
    [InlineData("-Tag v1, .v2", "InvalidTag")]
    [InlineData("-Repository https://example.org/a", "InvalidRepository")]
    [InlineData("-CertificateAuthority no.pem", "CertificateFileNotFound")]
    [InlineData("-CertificateAuthority function-a-amd64.tar.gz", "CertificateFileInvalid")]
    public void Wrong_arguments_end_the_command_before_anything_is_asked(string arguments, string errorId)
    {
        Assert.Equal(errorId, _session.Run(One() + $"Push-FunctionImage {arguments}").EndedBy);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public void One_credential_is_not_shown_to_several_registries()
    {
        ShellResult result = _session.Run("$a = " + One() + "ForEach-Object { $_ }; $b = Import-FunctionTarball -PathPrefix function-b | Build-FunctionImage localhost:1/acme/function-b; "
            + "$a, $b | Push-FunctionImage -Tag v1 -Credential $args[0]", _credential);

        Assert.Equal("CredentialForSeveralRegistries", result.EndedBy);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public void Without_images_a_warning_says_so()
    {
        ShellResult result = _session.Run("@() | Push-FunctionImage");

        Assert.Single(result.Warnings);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void A_workspace_that_is_gone_is_the_error_of_its_functions_alone()
    {
        ShellResult result = _session.Run("$f = " + One() + "ForEach-Object { $_ }; $f | Remove-BuildWorkspace; "
            + $"$g = Import-FunctionTarball -PathPrefix function-b | Build-FunctionImage {_registry.Host}/acme/function-b; $f, $g | Push-FunctionImage -Tag v1");

        Assert.Equal(["WorkspaceRemoved"], result.ErrorIds);
        Assert.Equal("function-a", Assert.IsType<FunctionImage>(Assert.Single(result.Errors).TargetObject).Name);
        Assert.Equal(["acme/function-b:v1"], _registry.Tags);
    }

    [Fact]
    public void A_saved_package_is_pushed_as_if_it_had_just_been_built()
    {
        _session.Get(Both() + "Save-FunctionImage all.xpkg");
        PushResult[] direct = Results(_session.Get(Both() + "Push-FunctionImage -Tag v1"));
        _session.Get("Get-BuildWorkspace | Remove-BuildWorkspace");
        PushResult[] saved = Results(_session.Get("Push-FunctionImage ./*.xpkg -Tag v2"));

        Assert.Equal(direct.Select(r => (r.Name, r.Repository, r.Digest)), saved.Select(r => (r.Name, r.Repository, r.Digest)));
        Assert.Equal(direct.SelectMany(r => r.Images).Select(i => i.Digest), saved.SelectMany(r => r.Images).Select(i => i.Digest));
        Assert.All(saved, r => Assert.Equal((0, 0, 0L), (r.BlobsPushed, r.BlobsMounted, r.BytesSent)));
        Assert.Equal(4, _registry.Tags.Count);
        Assert.Empty(_session.WorkspaceFolders);
    }

    [Theory]
    [InlineData("$ExecutionContext.InvokeProvider.Item.Get('*.xpkg') | Push-FunctionImage -Tag v1")]
    [InlineData("Push-FunctionImage -LiteralPath 'a[1].xpkg' -Tag v1")]
    [InlineData("'a*.xpkg' | Push-FunctionImage -Tag v1")]
    [InlineData("$ExecutionContext.InvokeProvider.Item.Get(@('a[1].xpkg'), $false, $true) | Push-FunctionImage -Tag v1 -PassThru | Save-FunctionImage other.xpkg")]
    public void Files_come_by_path_and_through_the_pipeline(string script)
    {
        _session.Get(One() + "Save-FunctionImage 'a[1].xpkg'; Get-BuildWorkspace | Remove-BuildWorkspace");
        _session.Get(script);

        Assert.Equal(["acme/platform_function-a:v1"], _registry.Tags);
        bool kept = script.Contains("PassThru", StringComparison.Ordinal);
        Assert.Equal(kept ? 1 : 0, _session.WorkspaceFolders.Count());
        if (kept)
        {
            Assert.Equal(File.ReadAllBytes(_session.Folder.Combine("a[1].xpkg")), File.ReadAllBytes(_session.Folder.Combine("other.xpkg")));
        }
    }

    [Fact]
    public void What_is_not_built_is_no_path()
    {
        ShellResult result = _session.Run($"Import-FunctionTarball '{Tarballs.Write(_session.Folder, "function-a")}' | Push-FunctionImage -Repository acme/a");

        Assert.Equal(["InputObjectNotBound"], result.ErrorIds);
        Assert.Empty(_registry.Tags);
    }

    [Fact]
    public void A_bad_file_does_not_hold_up_the_others_and_can_be_given_again()
    {
        _session.Get(Both() + "ForEach-Object { $_ | Save-FunctionImage \"$($_.Name).xpkg\" }");
        byte[] sound = File.ReadAllBytes(_session.Folder.Combine("function-a.xpkg"));
        _session.Folder.Write("function-a.xpkg", sound[..^1000]);
        ShellResult result = _session.Run("Push-FunctionImage function-a.xpkg, function-b.xpkg, function-a-amd64.tar.gz, no.xpkg -Tag v1");

        Assert.Null(result.Ended);
        Assert.Equal(["TarballTruncated", "NotAPackage", "PathNotFound"], result.ErrorIds);
        Assert.Equal(["acme/platform_function-b:v1"], _registry.Tags);
        _session.Folder.Write("function-a.xpkg", sound);
        _session.Get("Push-FunctionImage $args[0].TargetObject -Tag v1", result.Errors[0]);
        Assert.Equal(["acme/platform_function-a:v1", "acme/platform_function-b:v1"], _registry.Tags);
    }

    [Fact]
    public void With_Repository_the_files_are_one_function()
    {
        string index = Assert.Single(Results(_session.Get(One() + "Push-FunctionImage -Tag whole"))).Digest.ToString();
        _session.Get($"Import-FunctionTarball function-a-*.tar.gz | ForEach-Object {{ $_ | Build-FunctionImage {_registry.Host}/acme/platform | Save-FunctionImage \"a-$($_.Platform.Architecture).xpkg\" }}");
        PushResult joined = Assert.Single(Results(_session.Get($"Push-FunctionImage a-*.xpkg -Repository {_registry.Host}/acme/platform_function-a -Tag v1")));
        _session.Folder.Write("a-arm64.xpkg", [1, 2, 3]);
        ShellResult incomplete = _session.Run($"Push-FunctionImage a-*.xpkg -Repository {_registry.Host}/acme/platform_function-a -Tag v2");

        Assert.Equal(index, joined.Digest.ToString());
        Assert.Equal("PackageIncomplete", incomplete.EndedBy);
        Assert.Single(incomplete.Errors);
        Assert.Equal(["acme/platform_function-a:v1", "acme/platform_function-a:whole"], _registry.Tags);
    }

    [Fact]
    public void Files_of_several_functions_need_their_own_repositories()
    {
        _session.Get(Both() + "Save-FunctionImage all.xpkg");
        ShellResult result = _session.Run($"Push-FunctionImage all.xpkg -Repository {_registry.Host}/acme/one -Tag v1");

        Assert.Equal("RepositoryForSeveralFunctions", result.EndedBy);
        Assert.Empty(_registry.Tags);
    }

    [Fact]
    public void WhatIf_reads_the_file_and_pushes_nothing()
    {
        _session.Get(One() + "Save-FunctionImage a.xpkg; Get-BuildWorkspace | Remove-BuildWorkspace");
        Assert.Empty(_session.Get("Push-FunctionImage a.xpkg -Tag v1 -WhatIf"));
        Assert.All(_registry.Requests, r => Assert.Matches("^(GET|HEAD) ", r));
        Assert.Empty(_session.WorkspaceFolders);
    }

    [Fact]
    public void The_media_types_of_a_file_can_be_chosen()
    {
        _session.Get($"Import-FunctionTarball -PathPrefix function-a | Build-FunctionImage {_registry.Host}/acme/platform -MediaType Oci -Compression Zstd | Save-FunctionImage a.xpkg");
        Assert.Equal(["ZstdNeedsOci"], _session.Run("Push-FunctionImage a.xpkg -Tag v1").ErrorIds);
        PushResult pushed = Assert.Single(Results(_session.Get("Push-FunctionImage a.xpkg -Tag v1 -MediaType Oci")));
        Assert.All(pushed.Image.Images, i => Assert.Equal(Core.Oci.MediaTypes.OciManifest, i.MediaType));
    }

    [Fact]
    public async Task Stopping_the_pipeline_leaves_nothing_tagged_and_the_function_can_be_pushed_again()
    {
        _session.Get("$f = " + Both() + "ForEach-Object { $_ }");
        var uploading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry.Faults = r =>
        {
            if (r.Method == "PUT" && r.Path.Value!.Contains("function-b/manifests/sha256", StringComparison.Ordinal))
            {
                uploading.TrySetResult();
                return new Fault(FaultType.Stall);
            }

            return null;
        };
        using PowerShell shell = _session.Prepare("$f | Push-FunctionImage -Tag v1");
        Task<PSDataCollection<PSObject>> run = shell.InvokeAsync();
        await uploading.Task.WaitAsync(TestContext.Current.CancellationToken);

        await shell.StopAsync(null, null);

        await Assert.ThrowsAsync<PipelineStoppedException>(() => run);
        Assert.Empty(_registry.Tags);
        _registry.Faults = _ => null;
        Assert.All(Results(_session.Get("$f | Push-FunctionImage -Tag v1")), r => Assert.Equal(0, r.BlobsPushed));
    }

    [Fact]
    public async Task A_real_registry_gives_back_the_index_that_was_pushed()
    {
        await using DockerRegistry real = await DockerRegistry.Start(_session.Folder);
        PushResult result = Assert.Single(Results(_session.Get($"Import-FunctionTarball -PathPrefix function-a | Build-FunctionImage {real.Host}/acme/function-a | Push-FunctionImage -Tag v1")));

        byte[] index = await Tool.Run("skopeo", "inspect", "--tls-verify=false", "--raw", $"docker://{result.Reference}");
        Assert.Equal(result.Digest, Core.Oci.Digest.Of(index));
    }

    private static PushResult[] Results(IEnumerable<PSObject> output) => [.. output.Select(o => Assert.IsType<PushResult>(o.BaseObject))];

    private static IEnumerable<Core.Oci.Digest> Blobs(PlatformImage image) => image.Layers.Select(l => l.Descriptor.Digest).Append(image.Config.Digest);

    private string One() => $"Import-FunctionTarball -PathPrefix function-a | Build-FunctionImage {_registry.Host}/acme/platform | ";

    private string Both() => $"Import-FunctionTarball *.tar.gz | Build-FunctionImage {_registry.Host}/acme/platform | ";
}
