namespace FunctionBuild.Core.Registry;

/// <summary>How far a push has come. Written by the push, read by whoever shows it.</summary>
public sealed class PushProgress
{
    private volatile IReadOnlyList<FunctionProgress> _functions = [];

    /// <summary>Each function, in the order of the requests; empty until the push has begun.</summary>
    public IReadOnlyList<FunctionProgress> Functions => _functions;

    /// <summary>Bytes of blobs that the registries have taken.</summary>
    public long BytesDone => Functions.Sum(f => f.BytesDone);

    /// <summary>Bytes of blobs to send; less as it turns out what the registries have.</summary>
    public long TotalBytes => Functions.Sum(f => f.TotalBytes);

    internal void Begin(IReadOnlyList<FunctionProgress> functions) => _functions = functions;
}
