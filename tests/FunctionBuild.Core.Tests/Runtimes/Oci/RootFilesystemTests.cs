using System.Formats.Tar;
using System.Runtime.Versioning;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Runtimes.Oci;
using FunctionBuild.Core.Saving;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Runtimes.Oci;

[SupportedOSPlatform("linux")]
public sealed class RootFilesystemTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public RootFilesystemTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Images are unpacked on Linux.");
        Directory.CreateDirectory(_folder.Combine("outside"));
        File.WriteAllText(Secret, "secret");
    }

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Outside => _folder.Combine("outside");

    private string Secret => Path.Combine(Outside, "secret");

    [Fact]
    public async Task Whiteouts_hide_what_lower_layers_have_and_nothing_of_their_own_layer()
    {
        string root = await Unpack(
            new LayerTar().Folder("d").File("d/a").File("d/b").File("d/c").Folder("e").File("e/x").Folder("e/y").File("e/y/z").File("gone").Folder("tree").File("tree/leaf"),
            new LayerTar().File("d/.wh.a").File("d/b", "new").File("d/.wh.b").File("e/new").File("e/.wh..wh..opq").File(".wh.gone").File(".wh.tree").File(".wh.never").File("never/.wh.there"),
            new LayerTar().Folder("tree").File("tree/other"));

        Assert.Equal(["d/", "d/b", "d/c", "e/", "e/new", "tree/", "tree/other"], RootTree.Names(root));
    }

    [Fact]
    public async Task An_opaque_folder_keeps_what_its_own_layer_put_there_before_and_after()
    {
        string root = await Unpack(
            new LayerTar().Folder("d").Folder("d/kept").File("d/kept/old").File("d/old"),
            new LayerTar().Folder("d").File("d/kept/before").File("d/.wh..wh..opq").File("d/after").File("d/.wh..wh..opq").File(".wh..wh.plnk"));

        Assert.Equal(["d/", "d/after", "d/kept/", "d/kept/before"], RootTree.Names(root));
    }

    [Fact]
    public async Task A_later_layer_replaces_anything_by_anything()
    {
        string root = await Unpack(
            new LayerTar().Folder("folder").File("folder/x").File("file").SymbolicLink("link", "folder").SymbolicLink("toFolder", "folder").File("implied").File("same", "old"),
            new LayerTar().File("folder", "now a file").Folder("file").File("file/inside").File("link", "now a file").Folder("toFolder").File("implied/inside").SymbolicLink("same", "file"));

        Assert.Equal(["file/", "file/inside", "folder", "implied/", "implied/inside", "link", "same", "toFolder/"], RootTree.Names(root));
        Assert.Equal("now a file", File.ReadAllText(Path.Combine(root, "link")));
        Assert.Equal("file", new FileInfo(Path.Combine(root, "same")).LinkTarget);
    }

    [Fact]
    public async Task Links_on_the_way_are_resolved_inside_the_root()
    {
        string root = await Unpack(
            new LayerTar().Folder("usr/lib").SymbolicLink("lib", "usr/lib").SymbolicLink("absolute", "/usr").SymbolicLink("usr/up", "../../../../usr"),
            new LayerTar().File("lib/a").File("absolute/b").File("usr/up/c").SymbolicLink("dangling", "/not/yet").File("dangling/d"));

        Assert.Equal(["absolute", "dangling", "lib", "not/", "not/yet/", "not/yet/d", "usr/", "usr/b", "usr/c", "usr/lib/", "usr/lib/a", "usr/up"], RootTree.Names(root));
    }

    [Fact]
    public async Task Hard_links_join_names_also_across_layers()
    {
        string root = await Unpack(
            new LayerTar().File("a", "content", mode: 0x1C0).SymbolicLink("s", "a"),
            new LayerTar().HardLink("b", "a").HardLink("/c", "/b").HardLink("s2", "s").File("d", "other").HardLink("d", "a").HardLink("a", "a"));

        File.WriteAllText(Path.Combine(root, "a"), "changed");
        Assert.All(["b", "c", "d"], n => Assert.Equal("changed", File.ReadAllText(Path.Combine(root, n))));
        Assert.Equal("a", new FileInfo(Path.Combine(root, "s2")).LinkTarget);
    }

    [Fact]
    public async Task Modes_times_and_long_names_are_kept()
    {
        string deep = string.Join('/', Enumerable.Repeat("a-folder-of-some-length", 20));
        string root = await Unpack(
            new LayerTar().Folder("sticky", 0x3FF).File("setuid", mode: 0x9ED).File("none", mode: 0).Folder("closed", 0x16D).File("closed/in").File($"{deep}/long"),
            new LayerTar().File("closed/later", "x"));

        Assert.Equal(0x3FF, (int)UnixMode.Of(Path.Combine(root, "sticky")));
        Assert.Equal(0x9ED, (int)UnixMode.Of(Path.Combine(root, "setuid")));
        Assert.Equal(0, (int)UnixMode.Of(Path.Combine(root, "none")));
        Assert.Equal(0x16D, (int)UnixMode.Of(Path.Combine(root, "closed")) & ~0x80);
        Assert.Equal(0x1ED, (int)UnixMode.Of(Path.Combine(root, "a-folder-of-some-length")));
        Assert.True(File.Exists(Path.Combine(root, deep, "long")));
        Assert.Equal(1_000_000_001, new DateTimeOffset(File.GetLastWriteTimeUtc(Path.Combine(root, "setuid"))).ToUnixTimeSeconds());
        Assert.Equal(1_000_000_003, new DateTimeOffset(Directory.GetLastWriteTimeUtc(Path.Combine(root, "closed"))).ToUnixTimeSeconds());
    }

    [Fact]
    public async Task Owners_are_kept_by_root_and_left_out_by_others()
    {
        string root = await Unpack(
            new LayerTar().File("theirs", user: 1234, group: 5678, mode: 0x9ED).File("roots").HardLink("same", "theirs"));

        string owners = await ExternalTool.Run("stat", "--format=%n %u:%g %a", Path.Combine(root, "theirs"), Path.Combine(root, "roots"), Path.Combine(root, "same"));

        (string theirs, string own) = Posix.UserId == 0 ? ("1234:5678", "0:0") : ($"{Posix.UserId}:{Posix.GroupId}", $"{Posix.UserId}:{Posix.GroupId}");
        Assert.Equal($"{root}/theirs {theirs} 4755\n{root}/roots {own} 644\n{root}/same {theirs} 4755\n", owners);
    }

    [Fact]
    public async Task Names_may_be_absolute_or_in_the_manner_of_GNU()
    {
        string longName = $"gnu/{new string('n', 150)}";
        string root = await Unpack(new TarBuilder()
            .File("/usr/absolute", "a").Directory("./").Directory("./dot/").File("./dot/./f", "b")
            .GnuLongName(longName).File("short", "c").GnuLongLink(longName).SymbolicLink("link", "short").Build());

        Assert.Equal(["dot/", "dot/f", "gnu/", longName, "link", "usr/", "usr/absolute"], RootTree.Names(root));
        Assert.Equal(longName, new FileInfo(Path.Combine(root, "link")).LinkTarget);
    }

    [Fact]
    public async Task Pipes_are_made_and_devices_left_out()
    {
        string root = await Unpack(
            new LayerTar().File("was-file"),
            new LayerTar().Special(TarEntryType.Fifo, "pipe").Special(TarEntryType.CharacterDevice, "null").Special(TarEntryType.BlockDevice, "was-file"));

        Assert.Equal(["pipe"], RootTree.Names(root));
    }

    [Fact]
    public async Task Umoci_makes_the_same_of_the_same_image()
    {
        string deep = string.Join('/', Enumerable.Repeat("a-folder-of-some-length", 8));
        byte[][] layers =
        [
            new LayerTar().Folder("etc").File("etc/passwd", "root").Folder("usr").Folder("usr/lib").File("usr/lib/a", "a", 0x1ED).SymbolicLink("lib", "usr/lib").Folder("tmp", 0x3FF)
                .Folder("d").File("d/one", "1").File("d/two", "2").HardLink("d/three", "d/two").File("setuid", "s", 0x9ED).Build(),
            new LayerTar().File("lib/b", "b").File("d/.wh.one").SymbolicLink("abs", "/usr").File($"{deep}/file", "deep").Build(),
            new LayerTar().Folder("d").File("d/.wh..wh..opq").File("d/four", "4").File(".wh.setuid").File("abs/c", "c").HardLink("d/five", "usr/lib/a").Build(),
        ];
        FunctionImage function = await _folder.BuildFrom(layers, new BuildOptions { MediaType = ManifestKind.Oci });
        FileSystemInfo saved = await ImageSaver.SaveAsync([function], new SaveOptions { Path = _folder.Combine("layout") }, null, Cancellation);
        string bundle = _folder.Combine("bundle");
        await ExternalTool.Run("umoci", ["unpack", .. Posix.UserId == 0 ? Array.Empty<string>() : ["--rootless"], "--image", $"{saved.FullName}:{function.Name}", bundle]);

        string root = await RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation);

        Assert.Equal(WithoutImpliedTimes(RootTree.Describe(Path.Combine(bundle, "rootfs"))), WithoutImpliedTimes(RootTree.Describe(root)));

        // Folders that no layer mentions have no time.
        static IEnumerable<string> WithoutImpliedTimes(IEnumerable<string> lines) =>
            lines.Select(l => l.StartsWith("a-folder", StringComparison.Ordinal) ? l.Split(' ')[0] : l);
    }

    public static TheoryData<string, byte[][]> Refused { get; } = new()
    {
        { "a name that climbs", [new TarBuilder().File("../pwned", "x").Build()] },
        { "an absolute name that climbs", [new TarBuilder().File("/../../pwned", "x").Build()] },
        { "a name that climbs later", [new TarBuilder().File("a/../../pwned", "x").Build()] },
        { "a folder that climbs", [new TarBuilder().Directory("..").Build()] },
        { "a file as root", [new TarBuilder().File("/", "x").Build()] },
        { "a link as root", [new TarBuilder().SymbolicLink("./", "/etc").Build()] },
        { "a whiteout of the folder", [new TarBuilder().File("a/x", "x").File("a/.wh..", "").Build()] },
        { "a whiteout of the parent", [new TarBuilder().File("a/x", "x").File("a/.wh...", "").Build()] },
        { "a whiteout of nothing", [new TarBuilder().File(".wh.", "").Build()] },
        { "a hard link that climbs", [new TarBuilder().HardLink("a", "../outside/secret").Build()] },
        { "links in a circle", [new TarBuilder().SymbolicLink("a", "b").SymbolicLink("b", "a").File("a/x", "x").Build()] },
        { "a link to itself", [new TarBuilder().SymbolicLink("a", "a").Build(), new TarBuilder().File("a/x", "x").Build()] },
        { "no end of folders", [Deep()] },
        { "folders whose names are long in bytes", [new TarBuilder().Pax(("path", string.Concat(Enumerable.Repeat(new string('€', 80) + '/', 20)) + "x")).File("x", "x").Build()] },
        { "a name that climbs behind a NUL", [new TarBuilder().Directory("a").Pax(("path", "a/..\0x/..\0/pwned")).File("x", "x").Build()] },
        { "a file name that ends at a NUL", [new TarBuilder().Pax(("path", "a\0b")).File("x", "x").Build()] },
        { "a folder that climbs behind a NUL", [new TarBuilder().Pax(("path", "..\0")).Directory("x").Build()] },
        { "a whiteout that climbs behind a NUL", [new TarBuilder().Pax(("path", ".wh...\0")).File("x", "").Build()] },
        { "a hard link that climbs behind a NUL", [new TarBuilder().Pax(("linkpath", "..\0/..\0/..\0/outside/secret")).HardLink("a", "x").Build()] },
        { "a link whose target ends at a NUL", [new TarBuilder().Pax(("linkpath", "a\0b")).SymbolicLink("a", "x").Build()] },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_leads_out_is_refused_and_nothing_is_left(string what, byte[][] layers)
    {
        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => Unpack(layers));

        Assert.Equal("RootFilesystemUnsafe", e.ErrorId);
        Assert.True(e.Message.Contains("entry '", StringComparison.Ordinal), $"{what}: {e.Message}");
        AssertNothingUnpacked();
        AssertOutsideUntouched();
    }

    [Fact]
    public async Task What_goes_through_links_to_the_outside_stays_inside()
    {
        string climbing = string.Concat(Enumerable.Repeat("../", 40)) + Outside.TrimStart('/');
        string root = await Unpack(
            new LayerTar().SymbolicLink("absolute", Outside).SymbolicLink("climbing", climbing).SymbolicLink("file", Secret).SymbolicLink("root", "/").Folder("a").Folder("a/secret"),
            new LayerTar()
                .File("absolute/pwned", "x").File("climbing/pwned2", "x").File("absolute/.wh.secret").File("climbing/.wh..wh..opq")
                .File("file", "replaced").File("root/in", "x").HardLink("hard", "file"),
            new LayerTar().SymbolicLink("a", Outside).File("a/pwned3", "x").Folder("absolute").Folder("climbing/"));

        AssertOutsideUntouched();
        Assert.Equal("replaced", File.ReadAllText(Path.Combine(root, "file")));
        string inside = Outside.TrimStart('/');
        Assert.Equal(
            ["a", "absolute/", "climbing/", "file", "hard", "in", "root", .. Parents(inside), $"{inside}/pwned", $"{inside}/pwned2", $"{inside}/pwned3"],
            RootTree.Names(root));

        static IEnumerable<string> Parents(string path) =>
            path.Split('/').Select((_, i) => string.Join('/', path.Split('/')[..(i + 1)]) + "/");
    }

    [Theory]
    [InlineData("absolute/secret")]
    [InlineData("/absolute/secret")]
    [InlineData("missing")]
    [InlineData("folder")]
    [InlineData("/")]
    public async Task A_hard_link_to_what_is_no_file_of_the_image_is_an_error(string target)
    {
        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() =>
            Unpack(new TarBuilder().SymbolicLink("absolute", Outside).Directory("folder").HardLink("hard", target).Build()));

        Assert.Equal("LayerUnreadable", e.ErrorId);
        AssertNothingUnpacked();
        AssertOutsideUntouched();
    }

    [Fact]
    public async Task Modes_that_wait_until_the_end_are_not_given_to_what_took_a_folders_place()
    {
        Directory.CreateDirectory(Path.Combine(Outside, "inner"));
        File.SetUnixFileMode(Path.Combine(Outside, "inner"), UnixFileMode.UserRead);
        await Unpack(
            new LayerTar().Folder("a").Folder("a/inner", 0x1FF),
            new LayerTar().SymbolicLink("a", Outside));

        Assert.Equal(UnixFileMode.UserRead, UnixMode.Of(Path.Combine(Outside, "inner")));
    }

    [Theory]
    [InlineData("S")]
    [InlineData("M")]
    public async Task Entries_that_cannot_be_unpacked_are_told(string type)
    {
        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => Unpack(new TarBuilder().Entry(new TarHeader("a") { Type = type[0] }).Build()));

        Assert.Equal("LayerUnreadable", e.ErrorId);
        AssertNothingUnpacked();
    }

    [Fact]
    public async Task A_layer_that_is_no_tar_is_told()
    {
        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => Unpack(FixtureImage.Noise("noise", 4096)));

        Assert.Equal("LayerUnreadable", e.ErrorId);
        AssertNothingUnpacked();
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.Zstd)]
    [InlineData(Compression.None)]
    public async Task Layers_are_read_in_every_form(Compression compression)
    {
        byte[] layer = new LayerTar().File("a", "content").Build();
        OciLayout layout = compression switch { Compression.Gzip => OciLayout.Gzip(), Compression.Zstd => OciLayout.Zstd(), _ => new OciLayout() };
        var image = new FixtureImage { Architecture = MachinePlatform.Architecture, Layers = [layer] };
        var group = new FunctionGroup("function-a", FunctionBuilds.Repository, FunctionBuilds.Metadata, await _folder.Import(layout.Root(layout.Image(image)).Build().Build()));
        FunctionImage function = await group.Build(new BuildOptions { MediaType = ManifestKind.Oci });

        string root = await RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation);

        Assert.Equal("content", File.ReadAllText(Path.Combine(root, "a")));
    }

    [Fact]
    public async Task Callers_at_once_share_one_root()
    {
        FunctionImage function = await _folder.BuildFrom([.. Enumerable.Range(0, 10).Select(i => FixtureImage.Layer($"file{i}", 200_000))]);

        string[] roots = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation)));
        DateTime made = Directory.GetCreationTimeUtc(roots[0]);
        string again = await RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation);

        Assert.Equal(Path.Combine(_folder.Workspace.Path, "rootfs", function.Images[0].Config.Digest.Hex), Assert.Single(roots.Append(again).Distinct()));
        Assert.Equal(made, Directory.GetCreationTimeUtc(again));
        Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Workspace.Path, "rootfs")));
    }

    [Theory]
    [InlineData(Compression.Gzip)]
    [InlineData(Compression.None)]
    public async Task A_layer_that_changed_on_disk_is_not_unpacked(Compression compression)
    {
        FunctionImage function = await _folder.BuildFrom([FixtureImage.Layer("file", 600_000)], new BuildOptions { Compression = compression });
        PackageLayer layer = function.Images[0].Layers[0];
        Damage(layer.FindUncompressed() ?? layer.Blob);

        FunctionBuildException e = await Assert.ThrowsAsync<FunctionBuildException>(() => RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation));

        Assert.Equal("BlobChanged", e.ErrorId);
        AssertNothingUnpacked();
    }

    [Fact]
    public async Task A_layer_is_read_where_it_is_uncompressed_and_otherwise_where_it_is_compressed()
    {
        FunctionImage function = await _folder.BuildFrom([FixtureImage.Layer("file", 600_000)], new BuildOptions { Compression = Compression.Gzip });
        PackageLayer layer = function.Images[0].Layers[0];
        Blob plain = layer.FindUncompressed()!;
        Assert.True(plain.IsSlice);
        File.Move(plain.FilePath, plain.FilePath + ".away");

        string root = await RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation);

        Assert.Single(RootTree.Names(root));
        File.Move(plain.FilePath + ".away", plain.FilePath);
        Directory.Delete(root, recursive: true);
        Damage(layer.Blob);

        Assert.Single(RootTree.Names(await RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation)));
    }

    [Fact]
    public void Folders_that_names_imply_count_as_files()
    {
        Directory.CreateDirectory(_folder.Combine("root"));
        using var root = new RootFolder(_folder.Combine("root"));
        var unpacker = new LayerUnpacker(root, _ => { }) { MaximumEntries = 5 };
        unpacker.Apply(new MemoryStream(new LayerTar().File("a/b/c").File("d").Build()), default, Cancellation);

        FunctionBuildException e = Assert.Throws<FunctionBuildException>(() => unpacker.Apply(new MemoryStream(new LayerTar().File("e/f").Build()), default, Cancellation));

        Assert.Equal("LayerUnreadable", e.ErrorId);
        Assert.Contains("more than 5", e.Message);
    }

    [Fact]
    public async Task Cancellation_leaves_nothing_and_the_next_caller_unpacks()
    {
        FunctionImage function = await _folder.BuildFrom([.. Enumerable.Range(0, 30).Select(i => FixtureImage.Layer($"file{i}", 1_000_000))]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        Task<string> first = RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], stop.Token);
        Task<string> second = RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal(31, RootTree.Describe(await second).Count);
        Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Workspace.Path, "rootfs")));
    }

    [Fact]
    public async Task A_workspace_goes_with_whatever_was_unpacked_into_it()
    {
        string root = await Unpack(new LayerTar()
            .Folder("closed", 0).Folder("closed/inner", 0).File("closed/inner/file", mode: 0).Folder("read-only", 0x16D).File("read-only/file", user: 1234, group: 1234)
            .SymbolicLink("loop", ".").SymbolicLink("out", Outside));
        File.SetUnixFileMode(Path.Combine(root, "closed"), UnixFileMode.None);

        _folder.Workspace.Dispose();

        Assert.False(Directory.Exists(_folder.Workspace.Path));
        AssertOutsideUntouched();
    }

    [Fact]
    public void What_a_dead_session_unpacked_is_measured_without_following_links_and_removed()
    {
        string root = _folder.Combine("workspaces");
        string path = Path.Combine(root, "functionbuild-a0000000");
        Directory.CreateDirectory(Path.Combine(path, "rootfs", "x"));
        File.WriteAllText(Path.Combine(path, "lock"), string.Empty);
        File.WriteAllBytes(Path.Combine(path, "rootfs", "x", ".hidden"), new byte[70]);
        File.CreateSymbolicLink(Path.Combine(path, "rootfs", "x", "loop"), "..");
        File.CreateSymbolicLink(Path.Combine(path, "rootfs", "x", "out"), Outside);
        File.CreateSymbolicLink(Path.Combine(path, "rootfs", "x", "file"), Secret);

        Assert.Equal(70, Assert.Single(WorkspaceSession.FindStale(root)).Size);
        WorkspaceSession.Sweep(root);

        Assert.False(Directory.Exists(path));
        AssertOutsideUntouched();
    }

    private static byte[] Deep()
    {
        var tar = new TarBuilder();
        string part = string.Join('/', Enumerable.Repeat("d", 400));
        return tar.SymbolicLink("s", "/").Pax(("path", $"{part}/{part}/{part}/{part}/x")).File("x", "x").Build();
    }

    private Task<string> Unpack(params LayerTar[] layers) => Unpack([.. layers.Select(l => l.Build())]);

    private async Task<string> Unpack(params byte[][] layers)
    {
        FunctionImage function = await _folder.BuildFrom(layers);
        return await RootFilesystem.PrepareAsync(_folder.Workspace, function.Images[0], Cancellation);
    }

    private static void Damage(Blob blob)
    {
        using FileStream stream = File.OpenWrite(blob.FilePath);
        stream.Position = blob.Offset + 300_000;
        stream.Write(new byte[100]);
    }

    private void AssertNothingUnpacked() => Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Workspace.Path, "rootfs")));

    private void AssertOutsideUntouched()
    {
        Assert.Equal("secret", File.ReadAllText(Secret));
        Assert.Equal([Secret], Directory.EnumerateFileSystemEntries(Outside));
        Assert.False(File.Exists(_folder.Combine("pwned")));
    }
}
