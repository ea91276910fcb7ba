using Docker.DotNet.Models;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>What an engine tells while it loads or pulls; an error comes this way too, after a status of success.</summary>
internal sealed class EngineMessages : IProgress<JSONMessage>
{
    /// <summary>The first error; null when there is none.</summary>
    public string? Error { get; private set; }

    public void Report(JSONMessage value)
    {
        if (value.Error is { } error)
        {
            Error ??= error.Message ?? $"error {error.Code}";
        }
    }
}
