namespace FunctionBuild.Core.Runtimes;

/// <summary>When an engine pulls an image.</summary>
public enum PullPolicy
{
    /// <summary>When the engine does not have it.</summary>
    IfNotPresent,

    /// <summary>Each time.</summary>
    Always,

    /// <summary>Never; an image that is not there is an error.</summary>
    Never,
}
