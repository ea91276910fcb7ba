using System.Diagnostics;
using FunctionBuild.Core.Tarballs;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Tarballs;

/// <summary>Paths that are no tarball, and files that are something else.</summary>
public sealed class TarballFileTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task A_file_that_does_not_exist_is_refused() => TarballAssert.Refused(_folder, "PathNotFound", _folder.Combine("absent.tar"));

    [Fact]
    public Task A_folder_is_refused() => TarballAssert.Refused(_folder, "PathIsDirectory", Directory.CreateDirectory(_folder.Combine("folder.tar")).FullName);

    [Fact]
    public Task An_empty_file_is_refused() => TarballAssert.Refused(_folder, "TarballEmpty", []);

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(5000)]
    public async Task A_file_of_text_is_refused(int length)
    {
        byte[] text = System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("just text. ", 500))[..length]);

        await TarballAssert.Refused(_folder, length < 512 ? "TarballTruncated" : "TarballNotTar", text);
    }

    [Fact]
    public Task A_file_of_zeros_is_refused() => TarballAssert.Refused(_folder, "ManifestMissing", new byte[10240]);

    [Theory]
    [InlineData("04224D1864", "lz4")]
    [InlineData("504B030414", "zip")]
    [InlineData("4C5A495001", "lzip")]
    [InlineData("1F9D9062", "compress (.Z)")]
    [InlineData("377ABCAF271C", "7-Zip")]
    public async Task A_compression_that_is_not_supported_is_refused_by_name(string hex, string name)
    {
        FunctionBuildException error = await TarballAssert.Refused(_folder, "UnknownCompression", [.. Convert.FromHexString(hex), .. new byte[600]]);

        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip", "function.tar")]
    [InlineData("zstd", "function.tar.gz")]
    [InlineData("xz, CRC-64", "function.tgz")]
    [InlineData("bzip2", "function.zip")]
    public async Task The_extension_does_not_decide_the_codec(string codec, string name) =>
        Assert.Single(await _folder.Import(Codec.Encode(codec, DockerArchive.Nix(new FixtureImage()).Build()), name));

    [Fact]
    public async Task A_plain_tarball_may_call_itself_compressed() =>
        Assert.Single(await _folder.Import(DockerArchive.Nix(new FixtureImage()).Build(), "function.tar.gz"));

    [Fact]
    public async Task A_file_that_another_holds_alone_is_refused()
    {
        string path = _folder.Write("held.tar", DockerArchive.Nix(new FixtureImage()).Build());
        using var held = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        await TarballAssert.Refused(_folder, "TarballNotReadable", path);
    }

    [Fact]
    public async Task A_file_that_must_not_be_read_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes.");
            return;
        }

        Assert.SkipWhen(Environment.IsPrivilegedProcess, "File modes do not bind the superuser.");
        string path = _folder.Write("secret.tar", DockerArchive.Nix(new FixtureImage()).Build());
        File.SetUnixFileMode(path, UnixFileMode.None);

        await TarballAssert.Refused(_folder, "TarballNotReadable", path);
    }

    [Fact]
    public async Task A_named_pipe_is_not_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes in folders.");
        string pipe = _folder.Combine("pipe.tar");
        using (Process make = Process.Start("mkfifo", [pipe]))
        {
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        File.CreateSymbolicLink(_folder.Combine("link.tar"), pipe);

        await TarballAssert.Refused(_folder, "TarballEmpty", pipe);
        await TarballAssert.Refused(_folder, "TarballEmpty", _folder.Combine("link.tar"));
    }

    [Fact]
    public async Task A_link_to_a_tarball_is_the_tarball()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links take a privilege on Windows.");
        string target = _folder.Write("store-path", DockerArchive.Nix(new FixtureImage()).Build());
        File.CreateSymbolicLink(_folder.Combine("function-hello-amd64.tar"), target);
        var progress = new ImportProgress();

        RuntimeImage image = Assert.Single(await TarballImporter.ImportAsync(
            _folder.Workspace, _folder.Combine("function-hello-amd64.tar"), new ImportOptions(), progress, TestContext.Current.CancellationToken));

        Assert.Equal("function-hello", image.Name);
        Assert.Equal(new FileInfo(target).Length, progress.TotalBytes);
    }

    [Fact]
    public async Task Links_that_lead_nowhere_or_round_are_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links take a privilege on Windows.");
        File.CreateSymbolicLink(_folder.Combine("dangling.tar"), "absent");
        File.CreateSymbolicLink(_folder.Combine("round.tar"), "round.tar");

        await TarballAssert.Refused(_folder, "PathNotFound", _folder.Combine("dangling.tar"));
        await TarballAssert.Refused(_folder, "TarballNotReadable", _folder.Combine("round.tar"));
    }
}
