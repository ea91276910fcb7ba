using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>The end of a function's log, as errors show it.</summary>
internal static class FunctionLog
{
    private static readonly TimeSpan LogTime = TimeSpan.FromSeconds(5);

    /// <summary>The log with its heading, from a new line on; empty when nothing is logged. It is a help beside the error, never a reason to lose it.</summary>
    public static async Task<string> DescribeAsync(RunningFunction function, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(LogTime);
        try
        {
            string log = (await function.ReadLogAsync(limit.Token).WaitAsync(limit.Token).ConfigureAwait(false)).TrimEnd();
            return log.Length == 0 ? string.Empty : $"{Environment.NewLine}The end of its log:{Environment.NewLine}{log}";
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            return $"{Environment.NewLine}Its log cannot be read: {e.Message}";
        }
    }
}
