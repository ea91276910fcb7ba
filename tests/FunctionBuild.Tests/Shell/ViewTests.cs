using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Tests.Registry;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Shell;

public sealed class ViewTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public ViewTests()
    {
        Tarballs.Write(_folder, "function-a", "amd64");
        Tarballs.Write(_folder, "function-a", "arm64");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Runtime_images_show_sizes_for_people()
    {
        string text = await Show("Import-FunctionTarball $files");

        Assert.Matches("Name +Platform +Layers +Size +Source", text);
        Assert.Matches(@"function-a +linux/amd64 +2 +\d+\.\d kB +function-a-amd64\.tar", text);
    }

    [Fact]
    public async Task Function_images_show_short_digests()
    {
        string text = await Show("Import-FunctionTarball $files | Build-FunctionImage ghcr.io/acme/platform");

        Assert.Matches("Name +Digest +Size +Platforms +Repository", text);
        Assert.Matches(@"function-a +[0-9a-f]{12} +\d+\.\d kB +a\w+64, a\w+64 +ghcr", text);
    }

    [Fact]
    public async Task Workspaces_show_what_was_read_and_shared()
    {
        string text = await Show("$null = Import-FunctionTarball $files; Get-BuildWorkspace");

        Assert.Matches("Id +State +Tarballs +Read +Expanded +Shared +Layers +Path", text);
        Assert.Matches(@"[0-9a-f]{8} Open +2 +\d+\.\d kB +\d+\.\d kB +\d+\.\d kB +3 of 4", text);
    }

    [Fact]
    public async Task Layers_of_a_package_show_short_digests_and_which_are_the_packages_own()
    {
        string text = await Show("(Import-FunctionTarball $files | Build-FunctionImage ghcr.io/acme/platform).Images[0].Layers");

        Assert.Matches("Digest +DiffId +Size +Package +MediaType", text);
        Assert.Matches(@"[0-9a-f]{12} [0-9a-f]{12} +\d+ B +application/vnd\.docker", text);
        Assert.Matches(@"[0-9a-f]{12} [0-9a-f]{12} +\d+ B base +application/vnd\.docker", text);
    }

    [Fact]
    public async Task Pushes_show_what_was_sent_and_where_it_is()
    {
        await using FakeRegistry registry = await FakeRegistry.Start();
        string text = await Show($"Import-FunctionTarball $files | Build-FunctionImage {registry.Host}/acme/platform | Push-FunctionImage -Tag v1");

        Assert.Matches("Digest +Pushed +Mounted +There +Sent +Duration +Reference", text);
        Assert.Matches($@"[0-9a-f]{{12}} +\d +0 +0 +[\d.]+ k?B +\d+\.\d s +{registry.Host}/acme/platform_function-a:v1", text);
    }

    [Fact]
    public async Task Lists_show_the_parts()
    {
        string text = await Show("Import-FunctionTarball $files | Build-FunctionImage ghcr.io/acme/platform | ForEach-Object { $_.Images[0].Layers[-1].ToString(); $_ }");

        Assert.Matches(@"^[0-9a-f]{12} \(\d+ bytes\)", text.TrimStart());
    }

    private async Task<string> Show(string script)
    {
        string files = $"$files = '{_folder.Combine("*.tar.gz")}'; ";
        HostResult result = await HostProcess.RunIn(_folder.Combine("workspaces"), "-Command", files + script);
        Assert.Equal((0, string.Empty), (result.ExitCode, result.Error));
        return result.Output;
    }
}
