namespace FunctionBuild.Core.Registry;

/// <summary>What became of one request: a result, or an error.</summary>
/// <typeparam name="T">The result.</typeparam>
/// <param name="Request">The request.</param>
/// <param name="Value">The result; null when it failed.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
public sealed record PushOutcome<T>(PushRequest Request, T? Value, FunctionBuildException? Error)
    where T : class;
