namespace FunctionBuild.Tests.Fixtures;

/// <summary>What a run of the host left; line ends are those of Unix.</summary>
internal sealed record HostResult(int ExitCode, string Output, string Error);
