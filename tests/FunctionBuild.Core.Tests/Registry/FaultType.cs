namespace FunctionBuild.Core.Tests.Registry;

/// <summary>What a registry does instead of what was asked.</summary>
internal enum FaultType
{
    /// <summary>Answers with a status.</summary>
    Status,

    /// <summary>Breaks the connection off before anything was done.</summary>
    CutBefore,

    /// <summary>Keeps half of the body, and breaks the connection off.</summary>
    CutWithin,

    /// <summary>Does what was asked, and breaks the connection off before the answer.</summary>
    CutAfter,

    /// <summary>Says nothing for a while, and breaks the connection off.</summary>
    Stall,

    /// <summary>Forgets the upload that the request is part of.</summary>
    LoseUpload,
}
