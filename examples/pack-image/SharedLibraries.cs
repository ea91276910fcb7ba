namespace PackImage;

/// <summary>The shared libraries that a program needs beside its own files, taken from this machine.</summary>
/// <param name="Found">Where each is here, and so in the image, as this machine's loader looks in the same folders.</param>
/// <param name="Missing">The names of those that this machine doesn't have for the program's processor.</param>
internal sealed record SharedLibraries(IReadOnlyList<string> Found, IReadOnlyList<string> Missing)
{
    // Where the loaders of the common distributions look without configuration.
    private static readonly string[] LoaderFolders =
    [
        "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
        "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
        "/lib64", "/usr/lib64",
        "/lib", "/usr/lib",
    ];

    /// <summary>Follows what <paramref name="files"/> and <paramref name="openedByName"/> need, and what that needs in turn.</summary>
    public static SharedLibraries Resolve(IReadOnlyList<ElfFile> files, IReadOnlyList<string> openedByName)
    {
        var machine = files[0].Machine;
        var known = files.Select(file => Path.GetFileName(file.Path)).ToHashSet(StringComparer.Ordinal);
        var found = new List<string>();
        var missing = new List<string>();
        var wanted = new Queue<string>();
        // The loader has a path of its own, and is there before any library asks for it by name.
        foreach (var loader in files.Select(file => file.Interpreter).OfType<string>().Distinct())
        {
            known.Add(Path.GetFileName(loader));
            Take(loader, IsFor(machine, loader));
        }
        Want(files.SelectMany(file => file.Needed).Concat(openedByName));
        while (wanted.TryDequeue(out var name))
        {
            var library = LoaderFolders.Select(folder => $"{folder}/{name}").Select(path => IsFor(machine, path)).FirstOrDefault(file => file is not null);
            Take(name, library);
        }
        found.Sort(StringComparer.Ordinal);
        missing.Sort(StringComparer.Ordinal);
        return new SharedLibraries(found, missing);

        void Want(IEnumerable<string> names)
        {
            foreach (var name in names.Where(known.Add))
            {
                wanted.Enqueue(name);
            }
        }

        void Take(string name, ElfFile? library)
        {
            if (library is null)
            {
                missing.Add(name);
                return;
            }
            found.Add(library.Path);
            Want(library.Needed);
        }
    }

    private static ElfFile? IsFor(ushort machine, string path) =>
        File.Exists(path) && ElfFile.TryRead(path) is { } file && file.Machine == machine ? file : null;
}
