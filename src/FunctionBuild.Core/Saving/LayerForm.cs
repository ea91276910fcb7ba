namespace FunctionBuild.Core.Saving;

/// <summary>In which form an archive holds layers.</summary>
internal enum LayerForm
{
    /// <summary>As they are published.</summary>
    Published,

    /// <summary>As plain tars, for a reader on this machine: nothing is compressed for it, and every engine can read them.</summary>
    Uncompressed,
}
