using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Makes image tarballs of functions on .NET, as the quick start does.</summary>
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
        string published = folder.Combine("published");
        string tarball = folder.Combine($"{name}-{architecture}.tar.gz");
        await DotnetAsync(["publish", Path.Combine(repository, project), "--configuration", "Release", "--runtime", runtime, "--self-contained", "--output", published, "--verbosity", "quiet", "-nologo"], cancellation);
        await DotnetAsync(["run", "--project", Path.Combine(repository, "examples", "pack-image"), "--configuration", "Release", "--", published, tarball, $"{name}:latest", "libssl.so.3"], cancellation);
        return tarball;
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
