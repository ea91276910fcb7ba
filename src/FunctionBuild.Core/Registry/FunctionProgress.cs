namespace FunctionBuild.Core.Registry;

/// <summary>How far the push of one function has come.</summary>
public sealed class FunctionProgress
{
    private long _done;
    private long _total;

    internal FunctionProgress(string name, long total)
    {
        Name = name;
        _total = total;
    }

    /// <summary>The function's name.</summary>
    public string Name { get; }

    /// <summary>Bytes of blobs that the registry has taken.</summary>
    public long BytesDone => Interlocked.Read(ref _done);

    /// <summary>Bytes of blobs to send; less as it turns out what the registry has.</summary>
    public long TotalBytes => Interlocked.Read(ref _total);

    internal void Move(long bytes) => Interlocked.Add(ref _done, bytes);

    internal void Need(long bytes) => Interlocked.Add(ref _total, bytes);

    internal void NeedNot(long bytes) => Interlocked.Add(ref _total, -bytes);
}
