using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering;

/// <summary>How something is rendered.</summary>
public sealed record RenderOptions
{
    /// <summary>What runs the functions.</summary>
    public RuntimeChoice Runtime { get; init; } = RuntimeChoice.Auto;

    /// <summary>Functions that an OCI runtime runs use the network of this machine.</summary>
    public bool HostNetwork { get; init; }

    /// <summary>A <c>crossplane</c> program whose controller renders, instead of our own; null for our own.</summary>
    public string? CrossplaneBinary { get; init; }

    /// <summary>How long starting the functions and running the pipeline may take together.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The context that the last step left is wanted.</summary>
    public bool NeedsContext { get; init; }

    /// <summary>The folder to which relative paths in environment variables refer; the process's own when null.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Told what is decided, from several threads; may be null.</summary>
    public Action<string>? Report { get; init; }

    /// <summary>Told what a user should know of, from several threads; may be null.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Told how far the render is; may be null.</summary>
    public RenderProgress? Progress { get; init; }
}
