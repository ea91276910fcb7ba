using System.Reflection;

// The session's workspaces belong to the process, and so do its environment variables.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace FunctionBuild.Tests.Fixtures;

/// <summary>Where the build put things.</summary>
internal static class Built
{
    /// <summary>The repository's folder.</summary>
    public static string Repository { get; } = Metadata("RepositoryRoot");

    /// <summary>The importable module's folder.</summary>
    public static string Module { get; } = Metadata("ModulePath");

    /// <summary>The embedded host's program.</summary>
    public static string Host { get; } = Path.Combine(Metadata("HostFolder"), OperatingSystem.IsWindows() ? "FunctionBuild.Host.exe" : "FunctionBuild.Host");

    /// <summary>A module that carries other versions of this one's libraries.</summary>
    public static string OtherModule { get; } = Metadata("OtherModulePath");

    private static string Metadata(string key) =>
        typeof(Built).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
