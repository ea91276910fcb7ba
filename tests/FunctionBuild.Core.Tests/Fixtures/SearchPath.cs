namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>The folders in which this process looks for programs.</summary>
internal static class SearchPath
{
    private const string Variable = "PATH";
    private static readonly Lock Gate = new();

    public static void Add(string folder)
    {
        lock (Gate)
        {
            Environment.SetEnvironmentVariable(Variable, $"{folder}{Path.PathSeparator}{Environment.GetEnvironmentVariable(Variable)}");
        }
    }
}
