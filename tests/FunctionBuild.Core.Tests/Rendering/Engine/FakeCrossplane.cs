using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Rendering.Engine;

/// <summary>A program that takes a request as <c>crossplane internal render</c> does, keeps it, and gives an answer that was laid out.</summary>
internal static class FakeCrossplane
{
    /// <summary>Writes the program; its path.</summary>
    /// <param name="folder">Where it and its files are: <c>arguments</c>, <c>request</c> and <c>answer</c>.</param>
    /// <param name="answer">What it gives.</param>
    /// <param name="then">What it does between reading and answering, in shell.</param>
    /// <param name="exitCode">How it ends.</param>
    public static string Write(TestFolder folder, byte[] answer, string then = ":", int exitCode = 0)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The program is a shell script.");
        folder.Write("answer", answer);
        string path = folder.Combine("crossplane");
        File.WriteAllText(path, $"""
            #!/bin/sh
            cd '{folder.Path}' || exit 99
            echo "$*" > arguments
            cat > request.part && mv request.part request
            {then}
            cat answer
            exit {exitCode}

            """);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }
}
