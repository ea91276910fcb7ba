namespace FunctionBuild.Core.Packages;

/// <summary>How far the compression of layers has come. Written by the build, read by whoever shows it.</summary>
public sealed class BuildProgress
{
    private long _done;

    /// <summary>Bytes of layers compressed so far, uncompressed size.</summary>
    public long BytesDone => Interlocked.Read(ref _done);

    /// <summary>Bytes of layers to compress, uncompressed size.</summary>
    public long TotalBytes { get; private set; }

    internal void Begin(long total) => TotalBytes = total;

    internal void Add(int bytes) => Interlocked.Add(ref _done, bytes);
}
