namespace FunctionBuild.Core.Runtimes;

/// <summary>What a function wrote, as an error message shows it.</summary>
internal static class LogEnd
{
    private const int LinesShown = 20;

    /// <summary>A sentence with the log's last lines.</summary>
    public static string Describe(string log) => LastLines(log, LinesShown) is { Length: > 0 } end
        ? $"The end of its log:{Environment.NewLine}{end}"
        : "It wrote no log.";

    /// <summary>The last lines that are not empty.</summary>
    public static string LastLines(string log, int count)
    {
        string[] lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join('\n', lines[^Math.Min(count, lines.Length)..]);
    }
}
