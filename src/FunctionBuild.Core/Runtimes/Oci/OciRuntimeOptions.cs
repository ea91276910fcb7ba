namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>How functions are run by an OCI runtime.</summary>
public sealed record OciRuntimeOptions : RuntimeOptions
{
    /// <summary>The runtime's name or path; null for the first of runc, crun and youki that is found.</summary>
    public string? Runtime { get; init; }

    /// <summary>
    /// Whether functions share the machine's network instead of having one of their own with nothing but a loopback
    /// interface. One function at a time can then listen on port 9443.
    /// </summary>
    public bool HostNetwork { get; init; }

    /// <summary>The most memory that a function may take, in bytes; null for no limit. It needs a control group for memory, and so usually root.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>The most processes and threads that a function may have, where control groups can limit them.</summary>
    public int ProcessLimit { get; init; } = 4096;
}
