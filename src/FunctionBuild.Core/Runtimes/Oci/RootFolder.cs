using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// A folder that is another system's root. Names are looked up in it one component at a time, each relative to the
/// folder before and never through a symbolic link: links are resolved here, as they would be with the folder as root.
/// So no name leads out of it. Nobody else may change the folder meanwhile, other than by making folders and files.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class RootFolder : IDisposable
{
    private const int MaximumLinks = 40;
    private const int MaximumPathLength = 3000;
    private const int UnfinishedFolderMode = 0x1C0;
    private const int FolderMode = 0x1ED;
    private const int FileMode = 0x1A4;
    private const int MaximumFileSize = 1024 * 1024;

    private readonly string _path;
    private readonly Trail _trail;
    private string? _trailNames;
    private bool _isInUse;

    /// <param name="path">The folder; it exists.</param>
    public RootFolder(string path)
    {
        _path = path;
        SafeFileHandle root = Posix.OpenPath(path) ?? throw Posix.Failure($"'{path}' cannot be opened");
        _trail = new Trail(root);
    }

    /// <summary>Told of each folder that is made because a name needs it.</summary>
    public Action<string>? FolderMade { get; set; }

    /// <summary>Whether a path, without leading slash, has a component <c>..</c> that leads out of the root; and the path without empty, <c>.</c> and <c>..</c> components.</summary>
    public static string[]? Normalise(string path)
    {
        var parts = new List<string>();
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part != "..")
            {
                if (part != ".")
                {
                    parts.Add(part);
                }
            }
            else if (parts.Count == 0)
            {
                return null;
            }
            else
            {
                parts.RemoveAt(parts.Count - 1);
            }
        }

        return [.. parts];
    }

    /// <summary>Opens the folder that a name is in, following links inside the root.</summary>
    /// <param name="parts">The folder's path. <c>..</c> in it, and in links, stays inside the root.</param>
    /// <param name="create">Whether folders that are missing are made, in place of files that are in the way.</param>
    /// <returns>The folder, which is valid until the next call; null when there is none.</returns>
    /// <exception cref="RootFolderException">There are too many links on the way, or the path is too long.</exception>
    public OpenFolder? Open(ReadOnlySpan<string> parts, bool create)
    {
        string names = string.Join('/', parts!);
        if (names != _trailNames)
        {
            _trailNames = null;
            if (!Walk(parts, create))
            {
                return null;
            }

            _trailNames = names;
        }

        return _trail.Last;
    }

    /// <summary>Reads a small text file, following links inside the root; null when there is none, or it is too large to be one.</summary>
    public string? ReadText(string path)
    {
        string name = path;
        for (int links = 0; links < MaximumLinks; links++)
        {
            string[] parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
            if (parts is [] or [.., "." or ".."] || Open(parts.AsSpan()[..^1], create: false) is not { } folder)
            {
                return null;
            }

            using SafeFileHandle? file = Posix.OpenFile(folder.Handle, parts[^1]);
            if (file is not null)
            {
                return ReadText(file);
            }

            if (Posix.ReadLink(folder.Handle, parts[^1]) is not { } target)
            {
                return null;
            }

            name = target.StartsWith('/') ? target : $"{folder.Path}/{target}";
        }

        return null;
    }

    /// <summary>A folder's path without links, from the root and without leading slash. It is made when it is missing.</summary>
    /// <exception cref="RootFolderException">A file is in the way, there are too many links on the way, or the path is too long.</exception>
    public string Require(string path)
    {
        // Somebody else may use the folder at once, and the files that are there.
        _isInUse = true;
        var made = new List<string>();
        FolderMade = made.Add;
        string resolved = Open(path.Split('/'), create: true)!.Value.Path;
        foreach (string folder in made)
        {
            using SafeFileHandle? handle = OpenResolved(folder);
            if (handle is null || !Posix.SetMode(handle, FolderMode))
            {
                throw Posix.Failure($"The mode of '{folder}' cannot be set");
            }
        }

        return resolved;
    }

    /// <summary>Makes an empty file, unless something has its name.</summary>
    /// <param name="resolvedFolder">The folder, which is there; its path has no links in it.</param>
    /// <param name="name">The file's name.</param>
    public void RequireFile(string resolvedFolder, string name)
    {
        using SafeFileHandle parent = OpenResolved(resolvedFolder) ?? throw Posix.Failure($"'{resolvedFolder}' cannot be opened");
        using SafeFileHandle? file = Posix.CreateFile(parent, name);
        int error = Posix.Error;
        if (file is null ? error != Posix.Exists : !Posix.SetMode(file, FileMode))
        {
            throw Posix.Failure($"'{resolvedFolder}/{name}' cannot be made");
        }
    }

    /// <summary>Removes whatever has a name in a folder, and all that is in it; does nothing when there is nothing.</summary>
    public void Remove(OpenFolder folder, string name)
    {
        if (Posix.Remove(folder.Handle, name))
        {
            // A link may have been on the way to the last folder.
            _trailNames = null;
            return;
        }

        switch (Posix.Error)
        {
            case Posix.NoEntry:
                return;

            case Posix.IsDirectory or Posix.PermissionDenied:
                _trailNames = null;
                Directory.Delete(PathOf(folder.In(name)), recursive: true);
                return;

            default:
                throw Posix.Failure($"'{folder.In(name)}' cannot be removed");
        }
    }

    /// <summary>The names in a folder, links not followed.</summary>
    public IEnumerable<string> NamesIn(string resolvedPath) =>
        [.. new DirectoryInfo(PathOf(resolvedPath)).EnumerateFileSystemInfos("*", Everything).Select(i => i.Name)];

    /// <summary>Opens a folder whose path has no links in it; null when it is no folder, or a link is on the way.</summary>
    public SafeFileHandle? OpenResolved(string resolvedPath)
    {
        SafeFileHandle current = _trail.Root.Handle;
        foreach (string part in resolvedPath.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            SafeFileHandle? next = Posix.OpenFolder(current, part);
            if (current != _trail.Root.Handle)
            {
                current.Dispose();
            }

            if (next is null)
            {
                return null;
            }

            current = next;
        }

        return current == _trail.Root.Handle ? Posix.OpenPath(_path) : current;
    }

    public void Dispose() => _trail.Dispose();

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, ReturnSpecialDirectories = false, MatchType = MatchType.Simple, IgnoreInaccessible = false };

    // A path without links in it: what it names is inside.
    private string PathOf(string resolvedPath) => Path.Combine(_path, resolvedPath);

    private static string? ReadText(SafeFileHandle file)
    {
        try
        {
            long length = RandomAccess.GetLength(file);
            if (length > MaximumFileSize)
            {
                return null;
            }

            byte[] content = new byte[length];
            int read = RandomAccess.Read(file, content, 0);
            return Encoding.UTF8.GetString(content.AsSpan(0, read));
        }
        catch (Exception e) when (e is NotSupportedException or IOException or UnauthorizedAccessException)
        {
            // A folder or a named pipe.
            return null;
        }
    }

    private bool Walk(ReadOnlySpan<string> parts, bool create)
    {
        _trail.BackToRoot();
        var pending = new Stack<string>();
        Push(pending, parts);
        int links = 0;
        while (pending.TryPop(out string? part))
        {
            if (part == "..")
            {
                _trail.Up();
                continue;
            }

            // The system would read the name only up to there, and so perhaps as '..'.
            if (part.Contains('\0', StringComparison.Ordinal))
            {
                throw new RootFolderException("a name holds a NUL");
            }

            OpenFolder current = _trail.Last;
            if (Posix.OpenFolder(current.Handle, part) is { } next)
            {
                string path = current.In(part);
                _trail.Add(new OpenFolder(next, path));
                if (Encoding.UTF8.GetByteCount(path) > MaximumPathLength)
                {
                    throw new RootFolderException($"its path has more than {MaximumPathLength} bytes");
                }

                continue;
            }

            int error = Posix.Error;
            if (error == Posix.NoEntry && create)
            {
                MakeFolder(current, part);
                pending.Push(part);
            }
            else if (error is Posix.NotDirectory or Posix.TooManyLinks)
            {
                if (Posix.ReadLink(current.Handle, part) is { } target)
                {
                    if (++links > MaximumLinks)
                    {
                        throw new RootFolderException($"more than {MaximumLinks} symbolic links are on the way to it");
                    }

                    if (target.StartsWith('/'))
                    {
                        _trail.BackToRoot();
                    }

                    Push(pending, target.Split('/'));
                }
                else if (create && _isInUse)
                {
                    throw new RootFolderException($"'{current.In(part)}' is a file");
                }
                else if (create)
                {
                    Remove(current, part);
                    pending.Push(part);
                }
                else
                {
                    return false;
                }
            }
            else if (error == Posix.NoEntry)
            {
                return false;
            }
            else
            {
                throw Posix.Failure($"'{current.In(part)}' cannot be opened");
            }
        }

        return true;
    }

    private void MakeFolder(OpenFolder parent, string name)
    {
        if (Posix.MakeFolder(parent.Handle, name, _isInUse ? FolderMode : UnfinishedFolderMode))
        {
            FolderMade?.Invoke(parent.In(name));
        }
        else if (Posix.Error != Posix.Exists)
        {
            throw Posix.Failure($"'{parent.In(name)}' cannot be made");
        }
    }

    private static void Push(Stack<string> pending, ReadOnlySpan<string> parts)
    {
        for (int i = parts.Length - 1; i >= 0; i--)
        {
            if (parts[i] is not ("" or "."))
            {
                pending.Push(parts[i]);
            }
        }
    }

    /// <summary>The open folders from the root to where a walk has come.</summary>
    private sealed class Trail(SafeFileHandle root) : IDisposable
    {
        private readonly List<OpenFolder> _folders = [new OpenFolder(root, string.Empty)];

        public OpenFolder Root => _folders[0];

        public OpenFolder Last => _folders[^1];

        public void Add(OpenFolder folder) => _folders.Add(folder);

        public void Up()
        {
            // The root is its own parent.
            if (_folders.Count > 1)
            {
                Last.Handle.Dispose();
                _folders.RemoveAt(_folders.Count - 1);
            }
        }

        public void BackToRoot()
        {
            while (_folders.Count > 1)
            {
                Up();
            }
        }

        public void Dispose()
        {
            BackToRoot();
            Root.Handle.Dispose();
        }
    }
}
