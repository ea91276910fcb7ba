namespace FunctionBuild.Host;

/// <summary>The exit codes that the host chooses itself; a script's <c>exit N</c> gives any other.</summary>
internal static class ExitCode
{
    /// <summary>Ran to its end.</summary>
    public const int Success = 0;

    /// <summary>A terminating error, or the last statement of a command failed.</summary>
    public const int Failure = 1;

    /// <summary>Bad usage, or no such script: PowerShell's own code for it.</summary>
    public const int BadUsage = 64;

    /// <summary>Added to a signal's number when it ended the run.</summary>
    public const int SignalBase = 128;
}
