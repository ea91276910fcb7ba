using System.Runtime.InteropServices;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>
/// Functions in engines that this process has started. What is still there when the process ends, or is told to, is
/// stopped then, within bounds.
/// </summary>
internal static class LiveFunctions
{
    private static readonly TimeSpan ExitTime = TimeSpan.FromSeconds(10);
    private static readonly HashSet<DockerFunction> Live = [];

    // A process that a signal ends raises no exit event.
    private static readonly List<PosixSignalRegistration> Signals = [];
    private static bool IsHooked;

    public static void Add(DockerFunction function)
    {
        lock (Live)
        {
            Live.Add(function);
            if (Signals.Count == 0)
            {
                Signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => StopAll()));
                Signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, _ => StopAll()));
            }

            if (!IsHooked)
            {
                IsHooked = true;
                AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAll();
            }
        }
    }

    public static void Remove(DockerFunction function)
    {
        lock (Live)
        {
            Live.Remove(function);
            if (Live.Count == 0)
            {
                Signals.ForEach(s => s.Dispose());
                Signals.Clear();
            }
        }
    }

    private static void StopAll()
    {
        DockerFunction[] left;
        lock (Live)
        {
            left = [.. Live];
        }

        Task.WaitAll([.. left.Select(f => Task.Run(() => f.AbandonAsync()))], ExitTime);
    }
}
