namespace FunctionBuild.Core.Registry;

/// <summary>How a blob came to be in a repository.</summary>
internal enum BlobFate
{
    /// <summary>It was there.</summary>
    Existing,

    /// <summary>The registry took it from another repository.</summary>
    Mounted,

    /// <summary>It was sent.</summary>
    Pushed,
}
