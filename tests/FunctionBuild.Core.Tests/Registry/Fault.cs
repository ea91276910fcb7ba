namespace FunctionBuild.Core.Tests.Registry;

/// <summary>One fault.</summary>
internal sealed record Fault(FaultType Kind, int Status = 0, string? RetryAfter = null, string Body = "");
