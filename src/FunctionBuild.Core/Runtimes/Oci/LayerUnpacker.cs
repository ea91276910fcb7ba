using System.Buffers;
using System.Formats.Tar;
using System.Runtime.Versioning;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Tarballs;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// Applies layers to a root folder, the base first (OCI image spec, "Image Layer Filesystem Changeset"). Owners are set
/// when the user is root; modes and times always. Device nodes and extended attributes are left out: the function's
/// <c>/dev</c> is its own, and a process without capabilities has no use for them.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LayerUnpacker(RootFolder root, Action<int> reserve)
{
    private const string WhiteoutPrefix = ".wh.";
    private const string WhiteoutMetaPrefix = ".wh..wh.";
    private const string OpaqueMarker = ".wh..wh..opq";
    private const int BlockSize = 256 * 1024;
    private const int MaximumNameLength = 4096;
    private const int ImpliedFolderMode = 0x1ED;
    private const int OwnerMayAll = 0x1C0;

    private readonly bool _isRoot = Posix.UserId == 0;
    private readonly Dictionary<string, Attributes> _folders = [];
    private readonly HashSet<string> _ofLayer = [];
    private readonly HashSet<string> _opaque = [];
    private Digest _layer;
    private int _entries;

    /// <summary>How many entries all layers may have, with the folders that their names imply.</summary>
    public int MaximumEntries { get; init; } = 2_000_000;

    /// <summary>Applies one layer, reading it to its end.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>RootFilesystemUnsafe</c> or <c>LayerUnreadable</c>.</exception>
    public void Apply(Stream layer, Digest diffId, CancellationToken cancellation)
    {
        _layer = diffId;
        _ofLayer.Clear();
        _opaque.Clear();
        root.FolderMade = path =>
        {
            Count();
            _folders[path] = new Attributes(ImpliedFolderMode, 0, 0, null);
        };
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            var guarded = new HeaderGuardStream(layer);
            using (var reader = new TarReader(guarded, leaveOpen: true))
            {
                while (Next(reader, guarded) is { } entry)
                {
                    cancellation.ThrowIfCancellationRequested();
                    Apply(entry, buffer);
                }
            }

            while (layer.Read(buffer) > 0)
            {
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Gives the folders their modes, owners and times, which waited until nothing is written into them any more.</summary>
    public void Finish()
    {
        foreach ((string path, Attributes attributes) in _folders.OrderByDescending(f => f.Key.Length))
        {
            using SafeFileHandle? folder = root.OpenResolved(path);
            if (folder is not null)
            {
                Set(folder, attributes with { Mode = attributes.Mode | (_isRoot ? 0 : OwnerMayAll) }, path);
            }
        }
    }

    private TarEntry? Next(TarReader reader, HeaderGuardStream guarded)
    {
        try
        {
            guarded.InHeader = true;
            TarEntry? entry = reader.GetNextEntry();
            guarded.InHeader = false;
            if (entry is not null)
            {
                Count();
            }

            return entry;
        }
        catch (NotSupportedException e)
        {
            throw Unreadable(null, $"it has an entry of type '{(char)guarded.EntryType}', which cannot be unpacked.", e);
        }
        catch (HeaderTooLargeException e)
        {
            throw Unreadable(null, $"a header claims {e.Size:N0} bytes for names and attributes; at most {HeaderGuardStream.MaximumHeader:N0} are accepted.", e);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or ArgumentException or OverflowException or InvalidOperationException or EndOfStreamException)
        {
            throw Unreadable(null, $"it is no tar archive, or damaged: {e.Message}", e);
        }
    }

    private void Count()
    {
        if (++_entries > MaximumEntries)
        {
            throw Unreadable(null, $"the image has more than {MaximumEntries:N0} files and folders.");
        }
    }

    private void Apply(TarEntry entry, byte[] buffer)
    {
        if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
        {
            return;
        }

        try
        {
            if (Math.Max(entry.Name.Length, entry.LinkName.Length) > MaximumNameLength)
            {
                throw new RootFolderException($"its name or link target has more than {MaximumNameLength} characters");
            }

            // The system would read such a name only up to there: '..' and a NUL is no '..' here, but is one there.
            if (entry.Name.Contains('\0', StringComparison.Ordinal) || entry.LinkName.Contains('\0', StringComparison.Ordinal))
            {
                throw new RootFolderException("its name or link target holds a NUL");
            }

            string[] parts = RootFolder.Normalise(entry.Name) ?? throw new RootFolderException("its name leads out of the image");
            if (parts.Length == 0)
            {
                ApplyToRoot(entry);
            }
            else if (parts[^1].StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
            {
                ApplyWhiteout(parts);
            }
            else
            {
                Place(entry, root.Open(parts.AsSpan()[..^1], create: true)!.Value, parts[^1], buffer);
            }
        }
        catch (RootFolderException e)
        {
            throw new FunctionBuildException(
                "RootFilesystemUnsafe",
                FaultKind.InvalidData,
                $"Layer {_layer}, entry '{Shorten(entry.Name)}': {e.Message}. Such an image is not unpacked.",
                entry.Name,
                e);
        }
        catch (EndOfStreamException e)
        {
            throw Unreadable(entry, "the layer ends within it.", e);
        }
    }

    private void ApplyToRoot(TarEntry entry)
    {
        if (entry.EntryType is not (TarEntryType.Directory or TarEntryType.DirectoryList))
        {
            throw new RootFolderException("a file or link in place of the root folder");
        }

        _folders[string.Empty] = Attributes.Of(entry);
    }

    private void ApplyWhiteout(string[] parts)
    {
        string marker = parts[^1];
        string hidden = marker[WhiteoutPrefix.Length..];
        if (hidden is "" or "." or "..")
        {
            throw new RootFolderException("a whiteout that names no file");
        }

        // Other names with this prefix are AUFS's own notes.
        bool isMeta = marker.StartsWith(WhiteoutMetaPrefix, StringComparison.Ordinal);
        if ((isMeta && marker != OpaqueMarker) || root.Open(parts.AsSpan()[..^1], create: false) is not { } folder)
        {
            return;
        }

        if (!isMeta)
        {
            RemoveLower(folder, hidden);
            return;
        }

        string path = folder.Path;
        if (!_opaque.Add(path))
        {
            // Whoever repeats the marker of a large folder would have it read again and again.
            return;
        }

        foreach (string name in root.NamesIn(path))
        {
            RemoveLower(folder, name);
        }
    }

    /// <summary>Removes what lower layers put there, and keeps what this layer did.</summary>
    private void RemoveLower(OpenFolder folder, string name)
    {
        string path = folder.In(name);
        if (!_ofLayer.Contains(path))
        {
            root.Remove(folder, name);
            return;
        }

        using SafeFileHandle? inner = Posix.OpenFolder(folder.Handle, name);
        if (inner is not null)
        {
            foreach (string child in root.NamesIn(path))
            {
                RemoveLower(new OpenFolder(inner, path), child);
            }
        }
    }

    private void Place(TarEntry entry, OpenFolder folder, string name, byte[] buffer)
    {
        string path = folder.In(name);
        Remember(path);
        bool isFile = entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile;
        switch (entry.EntryType)
        {
            case TarEntryType.Directory or TarEntryType.DirectoryList:
            case var _ when isFile && entry.Name.EndsWith('/'):
                PlaceFolder(entry, folder, name);
                break;

            case var _ when isFile:
                PlaceFile(entry, folder, name, buffer);
                break;

            case TarEntryType.SymbolicLink:
                PlaceLink(entry, folder, name);
                break;

            case TarEntryType.HardLink:
                PlaceHardLink(entry, path);
                break;

            case TarEntryType.Fifo:
                Create(folder, name, () => Posix.MakePipe(folder.Handle, name));
                SetOf(folder, name, Attributes.Of(entry));
                break;

            case TarEntryType.CharacterDevice or TarEntryType.BlockDevice:
                root.Remove(folder, name);
                break;

            default:
                throw Unreadable(entry, $"it is of type '{(char)entry.EntryType}', which cannot be unpacked.");
        }
    }

    private void PlaceFolder(TarEntry entry, OpenFolder folder, string name)
    {
        _folders[folder.In(name)] = Attributes.Of(entry);
        using SafeFileHandle? present = Posix.OpenFolder(folder.Handle, name);
        if (present is null)
        {
            Create(folder, name, () => Posix.MakeFolder(folder.Handle, name, OwnerMayAll));
        }
    }

    private void PlaceFile(TarEntry entry, OpenFolder folder, string name, byte[] buffer)
    {
        if (entry is PaxTarEntry pax && pax.ExtendedAttributes.Keys.Any(k => k.StartsWith("GNU.sparse.", StringComparison.Ordinal)))
        {
            throw Unreadable(entry, "it is a sparse file, which cannot be unpacked.");
        }

        SafeFileHandle? made = null;
        Create(folder, name, () => (made = Posix.CreateFile(folder.Handle, name)) is not null);
        using SafeFileHandle file = made!;
        if (entry.DataStream is { } data)
        {
            long position = 0;
            int read;
            while ((read = data.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0)
            {
                reserve(read);
                RandomAccess.Write(file, buffer.AsSpan(0, read), position);
                position += read;
            }
        }

        Set(file, Attributes.Of(entry), folder.In(name));
    }

    private void PlaceLink(TarEntry entry, OpenFolder folder, string name)
    {
        Create(folder, name, () => Posix.MakeSymbolicLink(entry.LinkName, folder.Handle, name));
        var attributes = Attributes.Of(entry);
        if (_isRoot && attributes.HasOwner && !Posix.SetOwnerOf(folder.Handle, name, attributes.User, attributes.Group))
        {
            CheckOwnerRefusal(folder.In(name));
        }

        // Not every file system has times of links; nothing depends on them.
        Posix.SetTimeOf(folder.Handle, name, entry.ModificationTime);
    }

    private void PlaceHardLink(TarEntry entry, string path)
    {
        string[] target = RootFolder.Normalise(entry.LinkName) ?? throw new RootFolderException($"it links to '{Shorten(entry.LinkName)}', outside of the image");
        if (target.Length == 0 || root.Open(target.AsSpan()[..^1], create: false) is not { } found)
        {
            throw Unreadable(entry, $"it is a hard link to '{Shorten(entry.LinkName)}', which is not there.");
        }

        // The next lookup closes the folder that was found.
        using SafeFileHandle source = root.OpenResolved(found.Path) ?? throw Posix.Failure($"'{found.Path}' cannot be opened");
        string sourcePath = found.In(target[^1]);
        if (sourcePath == path)
        {
            return;
        }

        int slash = path.LastIndexOf('/');
        OpenFolder folder = root.Open(slash < 0 ? [] : path[..slash].Split('/'), create: false)!.Value;
        string name = path[(slash + 1)..];
        if (Posix.MakeHardLink(source, target[^1], folder.Handle, name))
        {
            return;
        }

        int error = Posix.Error;
        if (error == Posix.Exists)
        {
            root.Remove(folder, name);
            if (Posix.MakeHardLink(source, target[^1], folder.Handle, name))
            {
                return;
            }

            error = Posix.Error;
        }

        throw error switch
        {
            Posix.NoEntry => Unreadable(entry, $"it is a hard link to '{Shorten(entry.LinkName)}', which is not there."),
            Posix.PermissionDenied => Unreadable(entry, $"it is a hard link to '{Shorten(entry.LinkName)}', which is a folder, or may not be linked to."),
            _ => Posix.Failure($"'{path}' cannot be linked to '{sourcePath}'"),
        };
    }

    /// <summary>Makes a name, in place of what had it.</summary>
    private void Create(OpenFolder folder, string name, Func<bool> make)
    {
        if (make())
        {
            return;
        }

        if (Posix.Error is Posix.Exists)
        {
            root.Remove(folder, name);
            if (make())
            {
                return;
            }
        }

        throw Posix.Failure($"'{folder.In(name)}' cannot be made");
    }

    private void Set(SafeFileHandle file, Attributes attributes, string path)
    {
        if (_isRoot && attributes.HasOwner && !Posix.SetOwner(file, attributes.User, attributes.Group))
        {
            CheckOwnerRefusal(path);
        }

        if (!Posix.SetMode(file, attributes.Mode) || (attributes.Time is { } time && !Posix.SetTime(file, time)))
        {
            throw Posix.Failure($"Mode and time of '{path}' cannot be set");
        }
    }

    private void SetOf(OpenFolder folder, string name, Attributes attributes)
    {
        if (_isRoot && attributes.HasOwner && !Posix.SetOwnerOf(folder.Handle, name, attributes.User, attributes.Group))
        {
            CheckOwnerRefusal(folder.In(name));
        }

        if (!Posix.SetModeOf(folder.Handle, name, attributes.Mode) || (attributes.Time is { } time && !Posix.SetTimeOf(folder.Handle, name, time)))
        {
            throw Posix.Failure($"Mode and time of '{folder.In(name)}' cannot be set");
        }
    }

    // Root inside a user namespace may give files to the users that are mapped there only.
    private static void CheckOwnerRefusal(string path)
    {
        if (Posix.Error is not (Posix.PermissionDenied or Posix.InvalidArgument))
        {
            throw Posix.Failure($"The owner of '{path}' cannot be set");
        }
    }

    private void Remember(string path)
    {
        while (_ofLayer.Add(path) && path.LastIndexOf('/') is > 0 and var slash)
        {
            path = path[..slash];
        }
    }

    private static string Shorten(string name) => name.Length <= 200 ? name : $"{name[..200]}…";

    private FunctionBuildException Unreadable(TarEntry? entry, string problem, Exception? cause = null) => new(
        "LayerUnreadable",
        FaultKind.InvalidData,
        $"Layer {_layer}{(entry is null ? string.Empty : $", entry '{Shorten(entry.Name)}'")}: {problem} The image cannot be run.",
        _layer.ToString(),
        cause);

    /// <summary>What a tar entry says of a file besides its content.</summary>
    private readonly record struct Attributes(int Mode, int User, int Group, DateTimeOffset? Time)
    {
        public bool HasOwner => User != 0 || Group != 0;

        public static Attributes Of(TarEntry entry) => new((int)entry.Mode, entry.Uid, entry.Gid, entry.ModificationTime);
    }
}
