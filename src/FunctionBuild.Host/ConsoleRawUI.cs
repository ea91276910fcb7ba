using System.Management.Automation.Host;

namespace FunctionBuild.Host;

/// <summary>The terminal's properties, with fixed ones where standard output is none. Its cells can't be read or painted.</summary>
internal sealed class ConsoleRawUI : PSHostRawUserInterface
{
    private const int WidthWithoutTerminal = 120;
    private const int HeightWithoutTerminal = 50;

    /// <summary>The width of a line, in columns.</summary>
    public static int Width => Console.IsOutputRedirected || Console.WindowWidth <= 0 ? WidthWithoutTerminal : Console.WindowWidth;

    /// <inheritdoc/>
    public override ConsoleColor ForegroundColor { get => Console.ForegroundColor; set => Console.ForegroundColor = value; }

    /// <inheritdoc/>
    public override ConsoleColor BackgroundColor { get => Console.BackgroundColor; set => Console.BackgroundColor = value; }

    /// <inheritdoc/>
    public override Size BufferSize { get => WindowSize; set => throw Unsupported(); }

    /// <inheritdoc/>
    public override Size WindowSize { get => new(Width, Height); set => throw Unsupported(); }

    /// <inheritdoc/>
    public override Size MaxWindowSize => WindowSize;

    /// <inheritdoc/>
    public override Size MaxPhysicalWindowSize => WindowSize;

    /// <inheritdoc/>
    public override Coordinates WindowPosition { get => new(0, 0); set => throw Unsupported(); }

    /// <inheritdoc/>
    public override Coordinates CursorPosition
    {
        get => Console.IsOutputRedirected ? new(0, 0) : new(Console.CursorLeft, Console.CursorTop);
        set => Console.SetCursorPosition(value.X, value.Y);
    }

    /// <inheritdoc/>
    public override int CursorSize { get => 25; set => throw Unsupported(); }

    /// <inheritdoc/>
    public override string WindowTitle { get => OperatingSystem.IsWindows() ? Console.Title : ""; set => Console.Title = value; }

    /// <inheritdoc/>
    public override bool KeyAvailable => !Console.IsInputRedirected && Console.KeyAvailable;

    private static int Height => Console.IsOutputRedirected || Console.WindowHeight <= 0 ? HeightWithoutTerminal : Console.WindowHeight;

    /// <inheritdoc/>
    public override KeyInfo ReadKey(ReadKeyOptions options)
    {
        ConsoleKeyInfo key = Console.ReadKey(intercept: options.HasFlag(ReadKeyOptions.NoEcho));
        return new KeyInfo((int)key.Key, key.KeyChar, default, keyDown: true);
    }

    /// <inheritdoc/>
    public override void FlushInputBuffer()
    {
        while (KeyAvailable)
        {
            Console.ReadKey(intercept: true);
        }
    }

    /// <inheritdoc/>
    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw Unsupported();

    /// <inheritdoc/>
    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw Unsupported();

    /// <inheritdoc/>
    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw Unsupported();

    /// <inheritdoc/>
    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw Unsupported();

    private static NotSupportedException Unsupported() => new("This host can't change the terminal's layout or read its cells.");
}
