using System.Security.Cryptography;
using FunctionBuild.Core.Oci;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Writes a blob under a temporary name while hashing it. <see cref="Publish"/> gives it its name; a writer that is
/// disposed of without that leaves nothing.
/// </summary>
internal sealed class BlobWriter : Stream
{
    private readonly BlobStore _store;
    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _length;
    private Digest? _digest;
    private bool _published;

    public BlobWriter(BlobStore store, string temporaryPath)
    {
        _store = store;
        _path = temporaryPath;
        try
        {
            _file = File.OpenHandle(temporaryPath, FileMode.CreateNew, FileAccess.Write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(e);
        }
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _store.ReserveSpace(buffer.Length);
        try
        {
            RandomAccess.Write(_file, buffer, _length);
        }
        catch (IOException e)
        {
            throw Failed(e);
        }

        _hash.AppendData(buffer);
        _length += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Closes the content and tells its digest; nothing can be written any more.</summary>
    public Digest Complete()
    {
        _digest ??= Digest.FromHash(_hash.GetHashAndReset());
        return _digest.Value;
    }

    /// <summary>Moves the completed content to its name in the store. The caller holds the store's lock.</summary>
    public void Publish()
    {
        string path = _store.PathOf(Complete());
        _file.Dispose();
        try
        {
            File.Move(_path, path, overwrite: true);
            _published = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(e);
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            _file.Dispose();
            if (!_published)
            {
                File.Delete(_path);
            }
        }

        base.Dispose(disposing);
    }

    private FunctionBuildException Failed(Exception cause) => new(
        "WorkspaceWriteFailed", FaultKind.Write, $"The workspace's file '{_path}' cannot be written: {cause.Message}", _path, cause);
}
