namespace FunctionBuild.Tests.Host;

/// <summary>A script in a folder of its own, gone after the test.</summary>
internal sealed class ScriptFile : IDisposable
{
    public ScriptFile(string text)
    {
        Folder = Directory.CreateTempSubdirectory("functionbuild host [test] ").FullName;
        Path = System.IO.Path.Combine(Folder, "a script.ps1");
        File.WriteAllText(Path, text);
    }

    public string Folder { get; }

    public string Path { get; }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
