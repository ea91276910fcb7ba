namespace FunctionBuild.Core.Tarballs;

/// <summary>How far the import of one tarball has come. Written by the import, read by whoever shows it.</summary>
public sealed class ImportProgress
{
    private long _bytesRead;

    /// <summary>Bytes of the file read so far.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>The file's length in bytes; zero until it is known.</summary>
    public long TotalBytes { get; internal set; }

    internal void Add(int bytes) => Interlocked.Add(ref _bytesRead, bytes);
}
