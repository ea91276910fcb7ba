using System.Management.Automation;
using FunctionBuild.Core.Packages;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

public sealed class BuildFunctionImageTests : IDisposable
{
    private const string Metadata = """
        apiVersion: meta.pkg.crossplane.io/v1
        kind: Function
        metadata:
          name: function-own
        spec:
          crossplane:
            version: ">=v1.20.0"
        """;

    private readonly ModuleSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Images_are_grouped_by_name_in_the_order_of_the_input()
    {
        Write("function-b", "amd64");
        Write("function-a", "arm64");
        Write("function-b", "arm64");

        List<FunctionImage> images = Images(_session.Get("Import-FunctionTarball function-b-amd64.tar.gz, function-a-arm64.tar.gz, function-b-arm64.tar.gz | Build-FunctionImage ghcr.io/acme/platform"));

        Assert.Equal(["function-b", "function-a"], images.Select(i => i.Name));
        Assert.Equal(["ghcr.io/acme/platform_function-b", "ghcr.io/acme/platform_function-a"], images.Select(i => i.Repository));
        Assert.Equal(["platform-function-b", "platform-function-a"], images.Select(i => i.Package.Name));
        Assert.Equal(["linux/amd64", "linux/arm64"], images[0].Images.Select(i => i.Platform.ToString()).Order());
        Assert.Single(images[1].Images);
    }

    [Fact]
    public void A_repository_that_ends_with_the_functions_name_is_its_own()
    {
        Write("function-a", "amd64");

        FunctionImage image = Assert.Single(Images(_session.Get("Import-FunctionTarball *.tar.gz | Build-FunctionImage -Repository ghcr.io/acme/function-a")));

        Assert.Equal("ghcr.io/acme/function-a", image.Repository);
        Assert.Equal("function-a", image.Package.Name);
    }

    [Fact]
    public void Metadata_come_from_the_parameters()
    {
        Write("function-a", "amd64");

        FunctionImage image = Assert.Single(Images(_session.Get(
            "Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/platform -Name hello -Annotation @{ 'example.com/number' = 7 } -Capability operation -CrossplaneVersion '>=v1.20.0'")));

        Assert.Equal("platform-hello", image.Package.Name);
        Assert.Equal("7", image.Package.Annotations["example.com/number"]);
        Assert.Equal(["operation"], image.Package.Capabilities);
        Assert.Equal(">=v1.20.0", image.Package.CrossplaneVersion);
    }

    [Fact]
    public void Metadata_come_from_a_file_and_the_repository_is_taken_as_it_is()
    {
        Write("function-a", "amd64");
        File.WriteAllText(_session.Folder.Combine("crossplane.yaml"), Metadata);

        FunctionImage image = Assert.Single(Images(_session.Get("Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/own -MetadataPath crossplane.yaml")));

        Assert.Equal("function-own", image.Package.Name);
        Assert.Equal("ghcr.io/acme/own", image.Repository);
    }

    [Fact]
    public void Metadata_that_break_the_rules_are_an_error_with_file_line_and_field()
    {
        Write("function-a", "amd64");
        string file = _session.Folder.Combine("crossplane.yaml");
        File.WriteAllText(file, Metadata.Replace(">=v1.20.0", "latest", StringComparison.Ordinal));

        ShellResult result = _session.Run("Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/own -MetadataPath $args[0]", file);

        Assert.Equal(["MetadataInvalid"], result.ErrorIds);
        Assert.Contains($"'{file}', line 7, field 'spec.crossplane.version'", result.Errors[0].Exception.Message);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void One_metadata_file_for_several_functions_is_an_error()
    {
        Write("function-a", "amd64");
        Write("function-b", "amd64");
        File.WriteAllText(_session.Folder.Combine("crossplane.yaml"), Metadata);

        ShellResult result = _session.Run("Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/own -MetadataPath crossplane.yaml");

        Assert.Equal("MetadataForSeveralFunctions", result.EndedBy);
    }

    [Fact]
    public void A_metadata_path_of_no_file_system_ends_the_command_with_an_id_of_its_own()
    {
        Write("function-a", "amd64");

        Assert.Equal("PathNotFileSystem", _session.Run("Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/own -MetadataPath Env:PATH").EndedBy);
    }

    [Fact]
    public void Two_images_for_one_platform_name_both_sources_and_other_functions_are_built()
    {
        string first = Write("function-a", "amd64");
        string second = Write("function-a", "amd64", ".tar");
        Write("function-b", "amd64");

        ShellResult result = _session.Run("Import-FunctionTarball * | Build-FunctionImage ghcr.io/acme/platform");

        Assert.Equal(["DuplicatePlatform"], result.ErrorIds);
        Assert.Contains(first, result.Errors[0].Exception.Message);
        Assert.Contains(second, result.Errors[0].Exception.Message);
        Assert.Equal("function-b", Assert.Single(Images(result.Output)).Name);
    }

    [Fact]
    public void Annotations_that_become_the_same_text_are_an_error()
    {
        Write("function-a", "amd64");

        ShellResult result = _session.Run("Import-FunctionTarball * | Build-FunctionImage ghcr.io/acme/platform -Annotation @{ (1 + 1) = 'a'; '2' = 'b' }");

        Assert.Equal(["MetadataInvalid"], result.ErrorIds);
        Assert.Contains("metadata.annotations", result.Errors[0].Exception.Message);
    }

    [Theory]
    [InlineData("-Repository ghcr.io/acme/platform:v1", "InvalidRepository")]
    [InlineData("-Repository ghcr.io/acme/platform -Compression Zstd", "ZstdNeedsOci")]
    [InlineData("-Repository ghcr.io/acme/platform -CompressionLevel 10", "InvalidCompressionLevel")]
    [InlineData("-Repository ghcr.io/acme/platform -Capability $null", "ParameterArgumentValidationError")]
    public void Parameters_that_make_no_sense_end_the_command(string parameters, string errorId)
    {
        Write("function-a", "amd64");

        Assert.Equal(errorId, _session.Run($"Import-FunctionTarball *.tar.gz | Build-FunctionImage {parameters}").EndedBy);
    }

    [Theory]
    [InlineData("", "application/vnd.docker.image.rootfs.diff.tar.gzip")]
    [InlineData("-Compression None", "application/vnd.docker.image.rootfs.diff.tar")]
    [InlineData("-MediaType Oci", "application/vnd.oci.image.layer.v1.tar+gzip")]
    [InlineData("-MediaType Oci -Compression Zstd", "application/vnd.oci.image.layer.v1.tar+zstd")]
    [InlineData("-MediaType Oci -Compression None", "application/vnd.oci.image.layer.v1.tar")]
    public void Compression_and_media_types_are_as_asked_for(string parameters, string mediaType)
    {
        Write("function-a", "amd64");

        FunctionImage image = Assert.Single(Images(_session.Get($"Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/platform {parameters}")));

        Assert.All(image.Images[0].Layers, l => Assert.Equal(mediaType, l.Descriptor.MediaType));
    }

    [Fact]
    public void The_digest_is_the_same_in_another_workspace_with_other_concurrency()
    {
        Write("function-a", "amd64");
        Write("function-a", "arm64");
        const string Pipeline = "Import-FunctionTarball *.tar.gz -ThrottleLimit {0} | Build-FunctionImage ghcr.io/acme/platform -ThrottleLimit {0}";

        FunctionImage one = Assert.Single(Images(_session.Get(Pipeline.Replace("{0}", "1", StringComparison.Ordinal))));
        FunctionImage many = Assert.Single(Images(_session.Get(Pipeline.Replace("{0}", "8", StringComparison.Ordinal))));

        Assert.NotSame(one.Workspace, many.Workspace);
        Assert.Equal(one.Digest, many.Digest);
    }

    [Fact]
    public void A_workspace_that_is_gone_is_named()
    {
        Write("function-a", "amd64");

        ShellResult result = _session.Run("$i = Import-FunctionTarball *.tar.gz; $i | Remove-BuildWorkspace; $i | Build-FunctionImage ghcr.io/acme/platform");

        Assert.Equal(["WorkspaceRemoved"], result.ErrorIds);
    }

    [Fact]
    public void Verbose_tells_what_was_built()
    {
        Write("function-a", "amd64");

        ShellResult result = _session.Run("Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/platform -Verbose");

        Assert.Contains(result.Verbose, v => v.Contains(Images(result.Output)[0].ToString(), StringComparison.Ordinal) && v.Contains("linux/amd64", StringComparison.Ordinal));
    }

    private static List<FunctionImage> Images(IEnumerable<PSObject> output) => [.. output.Select(o => (FunctionImage)o.BaseObject)];

    private string Write(string name, string architecture, string ending = ".tar.gz") => Tarballs.Write(_session.Folder, name, architecture, ending);
}
