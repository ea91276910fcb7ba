using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>
/// Makes image tarballs of functions on .NET, as the quick start does. They are kept in <c>out/tests</c> for other runs,
/// as long as their sources stay the same.
/// </summary>
internal static class FunctionPacker
{
    private static readonly TimeSpan PublishTime = TimeSpan.FromMinutes(8);

    /// <summary>Publishes a function for this machine's architecture and packs it; the tarball's path.</summary>
    /// <param name="project">The project's folder, from the repository's.</param>
    /// <param name="name">The function's name.</param>
    /// <param name="folder">Where the tarball goes.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<string> PackAsync(string project, string name, TestFolder folder, CancellationToken cancellation)
    {
        (string runtime, string architecture) = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => ("linux-x64", "amd64"),
            Architecture.Arm64 => ("linux-arm64", "arm64"),
            Architecture other => throw new PlatformNotSupportedException($"{name} is not published for {other}."),
        };
        string repository = RepositoryRoot();
        string kept = Path.Combine(repository, "out", "tests", Fingerprint(Path.Combine(repository, project), Path.Combine(repository, "examples", "pack-image")), $"{name}-{architecture}.tar.gz");
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);

        // The test assemblies run side by side, and one project must not be published twice at a time.
        await using FileStream gate = await LockAsync(kept + ".lock", cancellation);
        if (File.Exists(kept))
        {
            return kept;
        }

        string published = folder.Combine("published");
        string tarball = folder.Combine($"{name}-{architecture}.tar.gz");
        await DotnetAsync(["publish", Path.Combine(repository, project), "--configuration", "Release", "--runtime", runtime, "--self-contained", "--output", published, "--verbosity", "quiet", "-nologo"], cancellation);
        await DotnetAsync(["run", "--project", Path.Combine(repository, "examples", "pack-image"), "--configuration", "Release", "--", published, tarball, $"{name}:latest", "libssl.so.3"], cancellation);
        File.Copy(tarball, kept + ".unfinished", overwrite: true);
        File.Move(kept + ".unfinished", kept);
        return kept;
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(PublishTime);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(200, limit.Token);
            }
        }
    }

    /// <summary>A digest of the names and contents of folders' files, but for what is built of them.</summary>
    private static string Fingerprint(params string[] folders)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string folder in folders)
        {
            IEnumerable<string> files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(folder, f))
                .Where(f => f.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"))
                .Order(StringComparer.Ordinal);
            foreach (string file in files)
            {
                hash.AppendData(Encoding.UTF8.GetBytes(file));
                hash.AppendData(File.ReadAllBytes(Path.Combine(folder, file)));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static async Task DotnetAsync(string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        // No build process outlives this one.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(PublishTime);
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            string output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{await errors}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static string RepositoryRoot()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "FunctionBuild.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"No folder above '{AppContext.BaseDirectory}' holds FunctionBuild.sln.");
    }
}
