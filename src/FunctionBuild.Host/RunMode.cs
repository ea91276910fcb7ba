namespace FunctionBuild.Host;

/// <summary>What the command line asks for.</summary>
internal enum RunMode
{
    /// <summary>Run a script file.</summary>
    Script,

    /// <summary>Run the text of a command.</summary>
    Command,

    /// <summary>Read commands from standard input: a prompt on a terminal, a batch otherwise.</summary>
    Prompt,

    /// <summary>Print the help.</summary>
    Help,

    /// <summary>Print the versions.</summary>
    Version,
}
