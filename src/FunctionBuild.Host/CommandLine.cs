namespace FunctionBuild.Host;

/// <summary>What the user asked for.</summary>
internal sealed record CommandLine(RunMode Mode)
{
    private const string ScriptExtension = ".ps1";

    /// <summary>The script's full path, or the command's text.</summary>
    public string Text { get; private init; } = "";

    /// <summary>What follows the script's path.</summary>
    public IReadOnlyList<string> Arguments { get; private init; } = [];

    /// <summary>Never ask the user anything.</summary>
    public bool NonInteractive { get; private init; }

    /// <summary>Reads the arguments of the process.</summary>
    /// <exception cref="UsageException">An option is unknown or lacks its value, or the script is not there.</exception>
    public static CommandLine Parse(string[] args)
    {
        bool nonInteractive = false;
        for (int i = 0; i < args.Length; i++)
        {
            string[] rest = args[(i + 1)..];
            switch (args[i].ToLowerInvariant())
            {
                case "-h" or "-?" or "-help" or "--help":
                    return new CommandLine(RunMode.Help);
                case "-v" or "-version" or "--version":
                    return new CommandLine(RunMode.Version);
                case "-noninteractive":
                    nonInteractive = true;
                    continue;
                case "-noprofile" or "-nologo":
                    // Accepted because scripts that call pwsh pass them; there is neither a profile nor a logo here.
                    continue;
                case "-c" or "-command":
                    return OfCommand(args[i], rest) with { NonInteractive = nonInteractive };
                case "-f" or "-file":
                    return OfScript(args[i], rest) with { NonInteractive = nonInteractive };
                case ['-', ..]:
                    throw new UsageException($"there is no option '{args[i]}'.");
                default:
                    return OfScript("", args[i..]) with { NonInteractive = nonInteractive };
            }
        }

        return new CommandLine(RunMode.Prompt) { NonInteractive = nonInteractive };
    }

    private static CommandLine OfCommand(string option, string[] words) => words switch
    {
        [] => throw new UsageException($"'{option}' needs the text of a command."),
        ["-"] => new CommandLine(RunMode.Prompt),
        _ => new CommandLine(RunMode.Command) { Text = string.Join(' ', words) },
    };

    private static CommandLine OfScript(string option, string[] words)
    {
        if (words is [])
        {
            throw new UsageException($"'{option}' needs the path of a script.");
        }

        string path = Path.GetFullPath(words[0]);
        if (!path.EndsWith(ScriptExtension, StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"'{words[0]}' is not a script: a script's name ends in {ScriptExtension}. To run a command, use -Command.");
        }

        if (!File.Exists(path))
        {
            throw new UsageException($"there is no script '{path}'.");
        }

        return new CommandLine(RunMode.Script) { Text = path, Arguments = words[1..] };
    }
}
