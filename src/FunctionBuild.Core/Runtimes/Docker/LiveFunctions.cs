namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>Functions in engines that this process has started. What is still there when the process ends is stopped then, within bounds.</summary>
internal static class LiveFunctions
{
    private static readonly TimeSpan ExitTime = TimeSpan.FromSeconds(10);
    private static readonly HashSet<DockerFunction> Live = [];
    private static bool _isHooked;

    public static void Add(DockerFunction function)
    {
        lock (Live)
        {
            Live.Add(function);
            if (!_isHooked)
            {
                _isHooked = true;
                AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAll();
            }
        }
    }

    public static void Remove(DockerFunction function)
    {
        lock (Live)
        {
            Live.Remove(function);
        }
    }

    private static void StopAll()
    {
        DockerFunction[] left;
        lock (Live)
        {
            left = [.. Live];
        }

        Task.WaitAll([.. left.Select(f => Task.Run(() => f.DisposeAsync().AsTask()))], ExitTime);
    }
}
