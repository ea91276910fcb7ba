namespace FunctionBuild.Core.Registry;

/// <summary>Whether an upload has more steps to go.</summary>
internal enum UploadState
{
    /// <summary>There is more to send, or to say.</summary>
    Unfinished,

    /// <summary>The registry has the blob.</summary>
    Finished,
}
