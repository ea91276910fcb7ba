namespace FunctionHello;

/// <summary>The command line, or a file that it names, is wrong; the message says how.</summary>
internal sealed class OptionException(string message) : Exception(message);
