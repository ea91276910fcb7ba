using System.Collections.Concurrent;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Prefixes;

namespace FunctionBuild.Core.Workspaces;

/// <summary>
/// A folder that holds what was read from tarballs, for as long as it is needed. It is locked while this session
/// lives; it goes when it is removed, when the module is, or when the process ends, and a later session removes what
/// a killed one left.
/// </summary>
public sealed class BuildWorkspace : IDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _removal = new();
    private readonly FileStream _lock;
    private readonly ConcurrentDictionary<(Digest Digest, bool IsSlice), bool> _layers = [];
    private int _uses;
    private long _tarballsImported;
    private long _bytesRead;
    private long _bytesDecompressed;
    private long _layersSeen;
    private long _layersStored;
    private long _bytesShared;

    private BuildWorkspace(string id, string path, FileStream lockFile)
    {
        Id = id;
        Path = path;
        _lock = lockFile;
        Blobs = new BlobStore(path);
        Layers = new LayerCompressor(Blobs);
    }

    /// <summary>Eight hexadecimal digits, the first a letter, unique among the workspaces of a root folder.</summary>
    public string Id { get; }

    /// <summary>The workspace's folder.</summary>
    public string Path { get; }

    /// <summary>Whether it can still be used.</summary>
    public WorkspaceState State { get; private set; }

    /// <summary>When it was created.</summary>
    public DateTimeOffset CreatedAt { get; } = DateTimeOffset.Now;

    /// <summary>Tarballs imported without error.</summary>
    public long TarballsImported => Interlocked.Read(ref _tarballsImported);

    /// <summary>Bytes read from input files, each byte once; also those of inputs that failed.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>Bytes that decompression gave: of compressed tarballs, and of compressed layers inside tarballs. What gzipped tarballs begin with in common is decompressed, and counted, once.</summary>
    public long BytesDecompressed => Interlocked.Read(ref _bytesDecompressed);

    /// <summary>Layers that the imported images have, each as often as it is used.</summary>
    public long LayersSeen => Interlocked.Read(ref _layersSeen);

    /// <summary>Distinct layers among them, each stored (or referenced in a plain tarball) once.</summary>
    public long LayersStored => Interlocked.Read(ref _layersStored);

    /// <summary>Bytes of layers that did not have to be stored again.</summary>
    public long BytesShared => Interlocked.Read(ref _bytesShared);

    internal BlobStore Blobs { get; }

    internal LayerCompressor Layers { get; }

    internal SharedPrefixes Prefixes { get; } = new();

    /// <summary>Creates a workspace in a root folder, which is created when it does not exist.</summary>
    /// <param name="root">The root folder; <c>FUNCTIONBUILD_WORKSPACE_ROOT</c> or the system's temporary folder when null.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>WorkspaceNotCreated</c>.</exception>
    public static BuildWorkspace Create(string? root = null)
    {
        root = System.IO.Path.GetFullPath(root ?? WorkspaceFolder.DefaultRoot);
        try
        {
            (string id, string path, FileStream lockFile) = WorkspaceFolder.Create(root);
            try
            {
                var workspace = new BuildWorkspace(id, path, lockFile);
                WorkspaceSession.Add(workspace);
                return workspace;
            }
            catch
            {
                WorkspaceFolder.Delete(path, lockFile);
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new FunctionBuildException("WorkspaceNotCreated", FaultKind.Write, $"No workspace can be created in '{root}': {e.Message} Name another folder with New-BuildWorkspace -Path, or set FUNCTIONBUILD_WORKSPACE_ROOT.", root, e);
        }
    }

    /// <summary>Removes the workspace and its files. What is using it is cancelled first. Does nothing the second time.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (State == WorkspaceState.Removed)
            {
                return;
            }

            State = WorkspaceState.Removed;
        }

        _removal.Cancel();
        SpinWait.SpinUntil(() => Volatile.Read(ref _uses) == 0, StopTimeout);
        WorkspaceSession.Forget(this);
        WorkspaceFolder.Delete(Path, _lock);
    }

    /// <inheritdoc/>
    public override string ToString() => Id;

    /// <summary>
    /// Marks the workspace as in use until the result is disposed of; its token is cancelled with the caller's, or when
    /// the workspace is removed.
    /// </summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>WorkspaceRemoved</c>.</exception>
    internal WorkspaceUse Use(CancellationToken cancellation)
    {
        lock (_gate)
        {
            ThrowIfRemoved();
            Interlocked.Increment(ref _uses);
            return new WorkspaceUse(this, CancellationTokenSource.CreateLinkedTokenSource(cancellation, _removal.Token));
        }
    }

    internal void ThrowIfRemoved()
    {
        if (State == WorkspaceState.Removed)
        {
            throw new FunctionBuildException(
                "WorkspaceRemoved",
                FaultKind.InvalidOperation,
                $"The workspace {Id} ('{Path}') was removed, and what was imported into it is gone. Import the tarballs again, and remove the workspace only after the last step that needs it.",
                this);
        }
    }

    internal void CountRead(int bytes) => Interlocked.Add(ref _bytesRead, bytes);

    internal void CountDecompressed(int bytes) => Interlocked.Add(ref _bytesDecompressed, bytes);

    internal void CountImport() => Interlocked.Increment(ref _tarballsImported);

    internal void CountLayer(Blob blob)
    {
        Interlocked.Increment(ref _layersSeen);
        if (_layers.TryAdd((blob.Digest, blob.IsSlice), true))
        {
            Interlocked.Increment(ref _layersStored);
        }
        else
        {
            Interlocked.Add(ref _bytesShared, blob.Length);
        }
    }

    /// <summary>One use of a workspace.</summary>
    internal sealed class WorkspaceUse(BuildWorkspace workspace, CancellationTokenSource source) : IDisposable
    {
        public CancellationToken Token => source.Token;

        public void Dispose()
        {
            source.Dispose();
            Interlocked.Decrement(ref workspace._uses);
        }
    }
}
