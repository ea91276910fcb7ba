using System.Management.Automation;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

public sealed class SaveFunctionImageTests : IDisposable
{
    private const string Build = "Import-FunctionTarball *.tar.gz | Build-FunctionImage ghcr.io/acme/platform | ";

    private readonly ModuleSession _session = new();

    public SaveFunctionImageTests()
    {
        foreach (string name in (string[])["function-a", "function-b"])
        {
            Tarballs.Write(_session.Folder, name, "amd64");
            Tarballs.Write(_session.Folder, name, "arm64");
        }
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Several_functions_go_into_one_package_file_that_can_be_imported()
    {
        var file = (FileInfo)Assert.Single(_session.Get(Build + "Save-FunctionImage all.xpkg")).BaseObject;

        Assert.Equal(_session.Folder.Combine("all.xpkg"), file.FullName);
        IReadOnlyList<PSObject> images = _session.Get("Import-FunctionTarball all.xpkg");
        Assert.Equal(
            ["platform_function-a (linux/amd64)", "platform_function-a (linux/arm64)", "platform_function-b (linux/amd64)", "platform_function-b (linux/arm64)"],
            images.Select(i => ((RuntimeImage)i.BaseObject).ToString()).Order());
    }

    [Theory]
    [InlineData(".xpkg")]
    [InlineData("")]
    public void The_same_image_is_saved_once_however_often_it_comes(string ending)
    {
        _session.Get($"$f = {Build} ForEach-Object {{ $_ }}; $f | Save-FunctionImage once{ending}; $f, $f | Save-FunctionImage twice{ending}");

        Assert.Equal(Content("once" + ending), Content("twice" + ending));

        byte[] Content(string name) => File.ReadAllBytes(_session.Folder.Combine(ending.Length == 0 ? Path.Combine(name, "index.json") : name));
    }

    [Theory]
    [InlineData("layout", typeof(DirectoryInfo))]
    [InlineData("archive.tar", typeof(FileInfo))]
    [InlineData("any.thing -Format Xpkg", typeof(FileInfo))]
    [InlineData("any.folder -Format OciLayout", typeof(DirectoryInfo))]
    public void The_format_is_told_by_the_extension_or_the_parameter(string parameters, Type type)
    {
        object saved = Assert.Single(_session.Get(Build + $"Save-FunctionImage {parameters}")).BaseObject;

        Assert.IsType(type, saved);
        Assert.True(((FileSystemInfo)saved).Exists);
    }

    [Fact]
    public void An_unknown_extension_is_an_error_that_lists_the_known_ones()
    {
        ShellResult result = _session.Run(Build + "Save-FunctionImage all.zip");

        Assert.Equal("UnknownFormat", result.EndedBy);
        Assert.Contains(".xpkg", result.Ended!.Exception.Message);
    }

    [Fact]
    public void What_stands_there_is_replaced_only_when_forced()
    {
        File.WriteAllText(_session.Folder.Combine("all.xpkg"), "old");

        ShellResult refused = _session.Run(Build + "Save-FunctionImage all.xpkg");

        Assert.Equal("PathExists", refused.EndedBy);
        Assert.Equal(ErrorCategory.ResourceExists, refused.Ended!.CategoryInfo.Category);
        Assert.Equal("old", File.ReadAllText(_session.Folder.Combine("all.xpkg")));
        Assert.Single(_session.Get(Build + "Save-FunctionImage all.xpkg -Force"));
        Assert.NotEqual(3, new FileInfo(_session.Folder.Combine("all.xpkg")).Length);
    }

    [Fact]
    public void Parents_are_created_on_request_only()
    {
        Assert.Equal("DirectoryNotFound", _session.Run(Build + "Save-FunctionImage new/all.xpkg").EndedBy);
        Assert.Single(_session.Get(Build + "Save-FunctionImage new/all.xpkg -CreateDirectory"));
    }

    [Fact]
    public void WhatIf_writes_nothing()
    {
        Assert.Empty(_session.Get(Build + "Save-FunctionImage new/all.xpkg -CreateDirectory -WhatIf"));

        Assert.False(Directory.Exists(_session.Folder.Combine("new")));
    }

    [Fact]
    public void Without_images_nothing_is_written_and_a_warning_says_so()
    {
        ShellResult result = _session.Run("@() | Save-FunctionImage all.xpkg");

        Assert.Contains("all.xpkg", Assert.Single(result.Warnings));
        Assert.False(File.Exists(_session.Folder.Combine("all.xpkg")));
    }

    [Fact]
    public void A_workspace_that_is_gone_is_named_and_nothing_is_left()
    {
        ShellResult result = _session.Run("$f = " + Build + "ForEach-Object { $_ }; $f | Remove-BuildWorkspace; $f | Save-FunctionImage all.xpkg");

        Assert.Equal("WorkspaceRemoved", result.EndedBy);
        Assert.DoesNotContain(Directory.EnumerateFiles(_session.Folder.Path), f => f.Contains("all.xpkg", StringComparison.Ordinal));
    }
}
