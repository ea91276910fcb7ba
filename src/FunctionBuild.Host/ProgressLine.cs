using System.Globalization;
using System.Management.Automation;

namespace FunctionBuild.Host;

/// <summary>The progress of running commands, on one line of the terminal; nothing at all when standard error is not one.</summary>
internal sealed class ProgressLine
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly bool _enabled = !Console.IsErrorRedirected;
    private DateTime _next;
    private int _shown;

    /// <summary>Shows a record in the place of the one before.</summary>
    public void Show(ProgressRecord record)
    {
        if (!_enabled)
        {
            return;
        }

        if (record.RecordType == ProgressRecordType.Completed)
        {
            Clear();
        }
        else if (DateTime.UtcNow >= _next)
        {
            Clear();
            // The last column stays free: a terminal would wrap the line there.
            string text = Text(record);
            text = text[..Math.Min(text.Length, Math.Max(0, ConsoleRawUI.Width - 1))];
            Console.Error.Write(text);
            _shown = text.Length;
            _next = DateTime.UtcNow + Interval;
        }
    }

    /// <summary>Takes the line off the screen.</summary>
    public void Clear()
    {
        if (_shown > 0)
        {
            Console.Error.Write('\r' + new string(' ', _shown) + '\r');
            _shown = 0;
        }
    }

    private static string Text(ProgressRecord record)
    {
        string percent = record.PercentComplete >= 0 ? string.Create(CultureInfo.InvariantCulture, $" {record.PercentComplete}%") : "";
        string operation = string.IsNullOrEmpty(record.CurrentOperation) ? "" : " " + record.CurrentOperation;
        string text = $"{record.Activity}: {record.StatusDescription}{percent}{operation}";
        return text.ReplaceLineEndings(" ");
    }
}
