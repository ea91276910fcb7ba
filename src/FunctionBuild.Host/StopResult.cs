namespace FunctionBuild.Host;

/// <summary>What came of asking a session to stop what it runs.</summary>
internal enum StopResult
{
    /// <summary>Nothing was running.</summary>
    Idle,

    /// <summary>The pipeline was told to stop.</summary>
    Stopping,

    /// <summary>The pipeline had been told before and has not ended yet.</summary>
    AlreadyStopping,
}
