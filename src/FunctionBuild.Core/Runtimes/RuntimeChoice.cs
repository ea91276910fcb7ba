namespace FunctionBuild.Core.Runtimes;

/// <summary>Which runtime runs functions.</summary>
public enum RuntimeChoice
{
    /// <summary>A Docker-compatible engine if one answers, otherwise an OCI runtime.</summary>
    Auto,

    /// <summary>An OCI runtime, without a daemon.</summary>
    Oci,

    /// <summary>A Docker-compatible engine.</summary>
    Docker,

    /// <summary>None: the functions listen already.</summary>
    Development,
}
