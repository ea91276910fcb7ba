using System.Formats.Tar;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Saving;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Tests.Saving;

public sealed class ImageSaverTests : IDisposable
{
    private const UnixFileMode Mode644 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.xpkg", SaveFormat.Xpkg)]
    [InlineData("a.XPKG", SaveFormat.Xpkg)]
    [InlineData("dir.d/a.tar", SaveFormat.DockerArchive)]
    [InlineData("dir.d/layout", SaveFormat.OciLayout)]
    public void The_extension_tells_the_format(string path, SaveFormat format) => Assert.Equal(format, ImageSaver.FormatOf(path));

    [Theory]
    [InlineData("a.tar.gz")]
    [InlineData("v1.2")]
    public void Another_extension_is_an_error(string path) =>
        Assert.Equal("UnknownFormat", Assert.Throws<FunctionBuildException>(() => ImageSaver.FormatOf(path)).ErrorId);

    [Theory]
    [InlineData("all.xpkg")]
    [InlineData("all.tar")]
    public async Task An_archive_holds_every_distinct_layer_once_and_a_tagged_image_for_each_platform(string name)
    {
        FunctionImage[] functions = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];

        FileSystemInfo saved = await Save(name, functions);

        Assert.Equal(_folder.Combine(name), Assert.IsType<FileInfo>(saved).FullName);
        Dictionary<string, byte[]> entries = ReadArchive(saved.FullName, out List<string> order);
        Assert.Equal("manifest.json", order[0]);
        Assert.Equal(entries.Count, order.Count);
        JsonArray manifest = JsonNode.Parse(entries["manifest.json"])!.AsArray();
        PlatformImage[] images = [.. functions.SelectMany(f => f.Images)];
        Assert.Equal(images.Select(i => $"{i.Config.Digest.Hex}.json"), manifest.Select(e => (string?)e!["Config"]));
        Assert.Equal(
            functions.SelectMany(f => f.Images.Select(i => $"{f.Repository}:{i.Platform.Architecture}")),
            manifest.Select(e => (string?)Assert.Single(e!["RepoTags"]!.AsArray())));
        Assert.Equal(
            images.Select(i => string.Join(',', i.Layers.Select(l => $"{l.Descriptor.Digest.Hex}.tar.gz"))),
            manifest.Select(e => string.Join(',', e!["Layers"]!.AsArray().Select(l => (string?)l))));
        Assert.All(entries.Where(e => e.Key != "manifest.json"), e => Assert.Equal(e.Key.Split('.')[0], Digest.Of(e.Value).Hex));

        // One shared, one for each platform of each function, one package layer; configs; the manifest.
        Assert.Equal(6 + 4 + 1, entries.Count);
    }

    [Theory]
    [InlineData("a.xpkg")]
    [InlineData("layout")]
    public async Task Saving_twice_writes_the_same_bytes(string name)
    {
        FunctionImage function = await _folder.BuildTwoPlatforms();

        await Save($"one-{name}", function);
        await Save($"two-{name}", function);

        Assert.Equal(Snapshot($"one-{name}"), Snapshot($"two-{name}"));
    }

    [Fact]
    public async Task A_layout_holds_every_blob_under_its_digest_and_names_each_function()
    {
        FunctionImage[] functions = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];

        FileSystemInfo saved = await Save("layout", functions);

        Assert.Equal(_folder.Combine("layout"), Assert.IsType<DirectoryInfo>(saved).FullName);
        Dictionary<string, byte[]> files = ReadFolder("layout");
        Assert.Equal("{\"imageLayoutVersion\":\"1.0.0\"}", System.Text.Encoding.UTF8.GetString(files["oci-layout"]));
        JsonNode index = JsonNode.Parse(files["index.json"])!;
        Assert.Equal(functions.Select(f => f.Digest.ToString()), index["manifests"]!.AsArray().Select(m => (string?)m!["digest"]));
        Assert.Equal(["function-a", "function-b"], index["manifests"]!.AsArray().Select(m => (string?)m!["annotations"]!["org.opencontainers.image.ref.name"]));
        Dictionary<string, byte[]> blobs = files.Where(f => f.Key.StartsWith("blobs/sha256/", StringComparison.Ordinal)).ToDictionary(f => f.Key["blobs/sha256/".Length..], f => f.Value);
        Assert.All(blobs, b => Assert.Equal(b.Key, Digest.Of(b.Value).Hex));
        Assert.Equal(
            functions.SelectMany(f => f.Images.SelectMany(i => i.Layers.Select(l => l.Descriptor.Digest).Append(i.Digest).Append(i.Config.Digest)).Append(f.Digest)).Distinct().Select(d => d.Hex).Order(StringComparer.Ordinal),
            blobs.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(files.Count, blobs.Count + 2);
    }

    [Theory]
    [InlineData("a.xpkg", ManifestKind.Docker, Core.Content.Compression.Gzip)]
    [InlineData("a.tar", ManifestKind.Docker, Core.Content.Compression.None)]
    [InlineData("a.xpkg", ManifestKind.Oci, Core.Content.Compression.Zstd)]
    [InlineData("layout", ManifestKind.Docker, Core.Content.Compression.Gzip)]
    [InlineData("layout", ManifestKind.Oci, Core.Content.Compression.Zstd)]
    public async Task What_is_saved_is_imported_with_equal_configs_and_layers(string name, ManifestKind kind, Core.Content.Compression compression)
    {
        var options = new BuildOptions { MediaType = kind, Compression = compression };
        FunctionImage[] functions = [await _folder.BuildTwoPlatforms("a", options), await _folder.BuildTwoPlatforms("b", options)];
        string path = (await Save(name, functions)).FullName;
        if (Directory.Exists(path))
        {
            await TarFile.CreateFromDirectoryAsync(path, path + ".tar", includeBaseDirectory: false, TestContext.Current.CancellationToken);
            path += ".tar";
        }

        using BuildWorkspace other = _folder.NewWorkspace();
        IReadOnlyList<RuntimeImage> imported = await TarballImporter.ImportAsync(other, path, new ImportOptions { Name = "back" }, null, TestContext.Current.CancellationToken);

        PlatformImage[] images = [.. functions.SelectMany(f => f.Images)];
        Assert.Equal(images.Select(i => i.Config.Digest), imported.Select(i => i.Config.Digest));
        Assert.Equal(images.SelectMany(i => i.Layers).Select(l => l.Descriptor.Digest), imported.SelectMany(i => i.Layers).Select(l => l.Blob.Digest));
        Assert.Equal(images.SelectMany(i => i.Layers).Select(l => l.DiffId), imported.SelectMany(i => i.Layers).Select(l => l.DiffId));
    }

    [Fact]
    public async Task Tags_tell_systems_and_variants_apart()
    {
        FixtureImage[] images =
        [
            new FixtureImage { Architecture = "arm", Variant = "v6" },
            new FixtureImage { Architecture = "arm", Variant = "v7" },
            new FixtureImage { Architecture = "amd64", Os = "windows" },
            new FixtureImage { Architecture = "amd64" },
        ];
        FunctionImage function = await (await _folder.ImportGroup(images)).Build();

        string path = (await Save("a.xpkg", function)).FullName;

        Assert.Equal(
            ["amd64", "arm-v6", "arm-v7", "windows-amd64"],
            JsonNode.Parse(ReadArchive(path, out _)["manifest.json"])!.AsArray().Select(e => ((string)e!["RepoTags"]![0]!).Split(':')[1]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("a.xpkg")]
    [InlineData("layout")]
    public async Task Two_functions_of_one_name_and_repository_are_an_error(string name)
    {
        FunctionImage function = await _folder.BuildTwoPlatforms();
        await Fails("DuplicateReference", name, new SaveOptions { Path = string.Empty }, function, function);
    }

    [Theory]
    [InlineData("a.xpkg")]
    [InlineData("layout")]
    public async Task What_exists_is_replaced_only_by_force(string name)
    {
        FunctionImage first = await _folder.BuildTwoPlatforms("a");
        FunctionImage second = await _folder.BuildTwoPlatforms("b");
        await Save(name, first);
        string before = Snapshot(name);

        await Fails("PathExists", name, new SaveOptions { Path = string.Empty }, second);
        Assert.Equal(before, Snapshot(name));

        await Save(new SaveOptions { Path = _folder.Combine(name), Force = true }, second);
        await Save($"expected-{name}", second);
        Assert.Equal(Snapshot($"expected-{name}"), Snapshot(name));
        Assert.Equal([], LeftBehind());
    }

    [Fact]
    public async Task An_empty_folder_is_filled_by_force()
    {
        Directory.CreateDirectory(_folder.Combine("layout"));
        await Save(new SaveOptions { Path = _folder.Combine("layout") + Path.DirectorySeparatorChar, Force = true }, await _folder.BuildTwoPlatforms());
        Assert.True(File.Exists(_folder.Combine(Path.Combine("layout", "oci-layout"))));
    }

    [Fact]
    public async Task A_folder_of_something_else_is_never_replaced()
    {
        Directory.CreateDirectory(_folder.Combine("documents"));
        await File.WriteAllTextAsync(_folder.Combine(Path.Combine("documents", "thesis.txt")), "x", TestContext.Current.CancellationToken);

        await Fails("PathExists", "documents", new SaveOptions { Path = string.Empty, Force = true }, await _folder.BuildTwoPlatforms());

        Assert.True(File.Exists(_folder.Combine(Path.Combine("documents", "thesis.txt"))));
    }

    [Theory]
    [InlineData("folder", SaveFormat.Xpkg, "PathIsDirectory")]
    [InlineData("file", SaveFormat.OciLayout, "PathExists")]
    [InlineData("missing/a.xpkg", null, "DirectoryNotFound")]
    [InlineData("file/a.xpkg", null, "DirectoryNotFound")]
    public async Task A_path_that_cannot_be_written_is_an_error_even_by_force(string name, SaveFormat? format, string errorId)
    {
        Directory.CreateDirectory(_folder.Combine("folder"));
        _folder.Write("file", [1]);
        await Fails(errorId, name, new SaveOptions { Path = string.Empty, Format = format, Force = true }, await _folder.BuildTwoPlatforms());
    }

    [Fact]
    public async Task Devices_are_never_replaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Devices are files on Unix.");
        await Fails("PathIsDevice", "/dev/functionbuild-test", new SaveOptions { Path = string.Empty, Format = SaveFormat.Xpkg, Force = true }, await _folder.BuildTwoPlatforms());
    }

    [Fact]
    public async Task Parent_folders_are_made_on_request()
    {
        var options = new SaveOptions { Path = _folder.Combine(Path.Combine("new", "newer", "a.xpkg")), CreateDirectory = true };
        Assert.True((await Save(options, await _folder.BuildTwoPlatforms())).Exists);
    }

    [Fact]
    public async Task A_name_may_be_as_long_as_the_file_system_takes_and_a_longer_one_is_an_error()
    {
        FunctionImage image = await _folder.BuildTwoPlatforms();

        Assert.True((await Save($"{new string('n', 250)}.xpkg", image)).Exists);
        await Fails("SaveFailed", $"{new string('n', 251)}.xpkg", new SaveOptions { Path = string.Empty }, image);
        Assert.Empty(LeftBehind());
    }

    [Fact]
    public async Task A_parent_that_is_a_file_is_an_error_on_request_too()
    {
        _folder.Write("file", [1]);
        await Fails("SaveFailed", Path.Combine("file", "a.xpkg"), new SaveOptions { Path = string.Empty, CreateDirectory = true }, await _folder.BuildTwoPlatforms());
    }

    [Theory]
    [InlineData("a.xpkg")]
    [InlineData("layout")]
    public async Task Cancelling_half_way_leaves_what_was_there(string name)
    {
        await Save(name, await _folder.BuildTwoPlatforms("old"));
        FunctionImage function = await _folder.BuildTwoPlatforms("new");
        string before = Snapshot(name);
        using var cancel = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            ImageSaver.SaveAsync([function], new SaveOptions { Path = _folder.Combine(name), Force = true }, _ => cancel.Cancel(), cancel.Token));

        Assert.Equal(before, Snapshot(name));
        Assert.Equal([], LeftBehind());
    }

    [Fact]
    public async Task A_layer_of_more_than_eight_GiB_fits_into_an_archive()
    {
        FunctionImage function = await _folder.BuildTwoPlatforms();
        PlatformImage image = function.Images[0];
        PackageLayer layer = image.Layers[0];
        const long size = 9L * 1024 * 1024 * 1024;
        using (FileStream sparse = File.Create(_folder.Combine("sparse")))
        {
            sparse.SetLength(size);
        }

        var huge = new Core.Content.Blob(layer.Blob.Digest, size, _folder.Combine("sparse"));
        function = function with { Images = [image with { Layers = [layer with { Blob = huge }] }] };
        using var cancel = new CancellationTokenSource();

        // Its first bytes are asked for once its header is written; that is far enough.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            ImageSaver.SaveAsync([function], new SaveOptions { Path = _folder.Combine("a.xpkg") }, _ => cancel.Cancel(), cancel.Token));
    }

    [Theory]
    [InlineData("a.xpkg")]
    [InlineData("layout")]
    public async Task A_tarball_that_changed_is_an_error_that_leaves_what_was_there(string name)
    {
        await Save(name, await _folder.BuildTwoPlatforms("old"));
        string before = Snapshot(name);
        FunctionGroup group = await _folder.ImportGroup([new FixtureImage()]);
        FunctionImage function = await group.Build(new BuildOptions { Compression = Core.Content.Compression.None });
        string source = group.Images[0].Source;
        byte[] tarball = await File.ReadAllBytesAsync(source, TestContext.Current.CancellationToken);
        tarball[function.Images[0].Layers[1].Blob.Offset + 600] ^= 1;
        await File.WriteAllBytesAsync(source, tarball, TestContext.Current.CancellationToken);

        FunctionBuildException error = await Fails("BlobChanged", name, new SaveOptions { Path = string.Empty, Force = true }, function);

        Assert.Contains(source, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot(name));
        Assert.Equal([], LeftBehind());
    }

    [Fact]
    public async Task Saving_from_a_removed_workspace_is_an_error_that_names_it()
    {
        FunctionImage function = await _folder.BuildTwoPlatforms();
        _folder.Workspace.Dispose();

        FunctionBuildException error = await Fails("WorkspaceRemoved", "a.xpkg", new SaveOptions { Path = string.Empty }, function);

        Assert.Contains(_folder.Workspace.Id, error.Message, StringComparison.Ordinal);
        Assert.Equal([], LeftBehind());
    }

    [Fact]
    public async Task A_workspace_that_is_removed_during_the_save_is_an_error_that_names_it()
    {
        FunctionImage function = await _folder.BuildTwoPlatforms();
        Task? removal = null;

        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => ImageSaver.SaveAsync(
            [function],
            new SaveOptions { Path = _folder.Combine("a.xpkg") },
            _ =>
            {
                removal ??= Task.Run(_folder.Workspace.Dispose, TestContext.Current.CancellationToken);
                SpinWait.SpinUntil(() => _folder.Workspace.State == WorkspaceState.Removed);
            },
            TestContext.Current.CancellationToken));

        Assert.Equal("WorkspaceRemoved", error.ErrorId);
        Assert.Equal([], LeftBehind());
        await removal!;
        Assert.False(Directory.Exists(_folder.Workspace.Path));
    }

    [Theory]
    [InlineData("a.xpkg")]
    [InlineData("layout")]
    public async Task Progress_adds_up_to_the_size_that_was_told(string name)
    {
        FunctionImage[] functions = [await _folder.BuildTwoPlatforms("a"), await _folder.BuildTwoPlatforms("b")];
        long told = 0;

        await ImageSaver.SaveAsync(functions, new SaveOptions { Path = _folder.Combine(name) }, bytes => told += bytes, TestContext.Current.CancellationToken);

        Assert.Equal(ImageSaver.SizeOf(functions), told);
    }

    [Fact]
    public async Task Files_and_folders_get_the_modes_that_the_user_wants()
    {
        string plain = _folder.Write("plain", [1]);
        string plainFolder = Directory.CreateDirectory(_folder.Combine("plain-folder")).FullName;
        FunctionImage function = await _folder.BuildTwoPlatforms();

        string file = (await Save("a.xpkg", function)).FullName;
        string folder = (await Save("layout", function)).FullName;

        Assert.Equal(UnixMode.Of(plain), UnixMode.Of(file));
        Assert.Equal(UnixMode.Of(plain), UnixMode.Of(Path.Combine(folder, "index.json")));
        Assert.Equal(UnixMode.Of(plainFolder), UnixMode.Of(folder));
        Assert.Equal(UnixMode.Of(plainFolder), UnixMode.Of(Path.Combine(folder, "blobs", "sha256")));
    }

    private static Dictionary<string, byte[]> ReadArchive(string path, out List<string> order)
    {
        var entries = new Dictionary<string, byte[]>();
        order = [];
        using var reader = new TarReader(File.OpenRead(path));
        while (reader.GetNextEntry(copyData: true) is { } entry)
        {
            Assert.Equal((TarEntryType.RegularFile, Mode644, 0, 0, DateTimeOffset.UnixEpoch), (entry.EntryType, entry.Mode, entry.Uid, entry.Gid, entry.ModificationTime));
            order.Add(entry.Name);
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            entries[entry.Name] = content.ToArray();
        }

        return entries;
    }

    private Task<FileSystemInfo> Save(string name, params FunctionImage[] functions) => Save(new SaveOptions { Path = _folder.Combine(name) }, functions);

    private static Task<FileSystemInfo> Save(SaveOptions options, params FunctionImage[] functions) =>
        ImageSaver.SaveAsync(functions, options, null, TestContext.Current.CancellationToken);

    private async Task<FunctionBuildException> Fails(string errorId, string name, SaveOptions options, params FunctionImage[] functions)
    {
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => Save(options with { Path = _folder.Combine(name) }, functions));
        Assert.Equal(errorId, error.ErrorId);
        return error;
    }

    /// <summary>What a failed or finished save left in the folder beside its target.</summary>
    private string[] LeftBehind() => [.. Directory.EnumerateFileSystemEntries(_folder.Path, ".*").Select(p => Path.GetFileName(p))];

    private Dictionary<string, byte[]> ReadFolder(string name) => Directory.EnumerateFiles(_folder.Combine(name), "*", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetRelativePath(_folder.Combine(name), f).Replace('\\', '/'), File.ReadAllBytes);

    private string Snapshot(string name) => File.Exists(_folder.Combine(name))
        ? Digest.Of(File.ReadAllBytes(_folder.Combine(name))).ToString()
        : string.Join('\n', ReadFolder(name).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key} {Digest.Of(f.Value)}"));
}
