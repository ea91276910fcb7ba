using System.Text.Json;

namespace PackImage;

/// <summary>
/// A self-contained published program, its files told apart by how often they change: the runtime's,
/// those of packages, and its own.
/// </summary>
internal sealed class PublishedProgram
{
    private const string DependenciesSuffix = ".deps.json";

    private PublishedProgram(string name, string architecture, IReadOnlyList<ElfFile> elfFiles, ILookup<FileOrigin, string> files)
    {
        Name = name;
        Architecture = architecture;
        ElfFiles = elfFiles;
        Files = files;
    }

    /// <summary>The executable's file name.</summary>
    public string Name { get; }

    /// <summary>What the executable is for, as image configs name it.</summary>
    public string Architecture { get; }

    /// <summary>The executable and its native libraries.</summary>
    public IReadOnlyList<ElfFile> ElfFiles { get; }

    /// <summary>The paths of all files, by where they come from.</summary>
    public ILookup<FileOrigin, string> Files { get; }

    /// <exception cref="InvalidDataException">The folder holds no self-contained program for Linux.</exception>
    public static PublishedProgram Read(string folder)
    {
        if (Directory.GetFiles(folder, "*" + DependenciesSuffix) is not [var dependencies])
        {
            throw new InvalidDataException($"'{folder}' must hold one published program, hence one *{DependenciesSuffix}");
        }
        var name = Path.GetFileName(dependencies)[..^DependenciesSuffix.Length];
        var paths = Directory.GetFiles(folder);
        if (Directory.GetDirectories(folder) is [var subfolder, ..])
        {
            throw new InvalidDataException($"'{subfolder}': a program with subfolders is not supported");
        }
        var elfFiles = paths.Select(ElfFile.TryRead).OfType<ElfFile>().ToList();
        var executable = elfFiles.Find(file => Path.GetFileName(file.Path) == name && file.Interpreter is not null)
            ?? throw new InvalidDataException($"'{folder}' must hold {name} as a Linux executable; publish with -r linux-x64 --self-contained");
        var origins = ReadOrigins(dependencies);
        return new PublishedProgram(
            name,
            executable.Architecture ?? throw new InvalidDataException($"'{executable.Path}' is for an unknown processor"),
            elfFiles,
            paths.ToLookup(path => origins.GetValueOrDefault(Path.GetFileName(path), FileOrigin.Program)));
    }

    private static Dictionary<string, FileOrigin> ReadOrigins(string dependenciesPath)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(dependenciesPath));
            var root = document.RootElement;
            var target = root.GetProperty("runtimeTarget").GetProperty("name").GetString()!;
            var libraries = root.GetProperty("libraries");
            var origins = new Dictionary<string, FileOrigin>(StringComparer.Ordinal);
            foreach (var library in root.GetProperty("targets").GetProperty(target).EnumerateObject())
            {
                FileOrigin? origin = libraries.GetProperty(library.Name).GetProperty("type").GetString() switch
                {
                    "runtimepack" => FileOrigin.Runtime,
                    "package" => FileOrigin.Package,
                    _ => null,
                };
                if (origin is { } known)
                {
                    foreach (var asset in Assets(library.Value))
                    {
                        origins[asset] = known;
                    }
                }
            }
            return origins;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{dependenciesPath}' is not what dotnet publish writes: {e.Message}", e);
        }
    }

    private static IEnumerable<string> Assets(JsonElement library) =>
        from kind in library.EnumerateObject()
        where kind.Name is "runtime" or "native"
        from asset in kind.Value.EnumerateObject()
        select asset.Name[(asset.Name.LastIndexOf('/') + 1)..];
}
