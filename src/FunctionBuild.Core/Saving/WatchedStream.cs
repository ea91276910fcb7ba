using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Saving;

/// <summary>A layer's stream that reports what passes and stops when the writing is cancelled.</summary>
internal sealed class WatchedStream(Stream inner, Action<int>? onBytes, CancellationToken cancellation) : ReadOnlyStream
{
    public override bool CanSeek => true;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override int Read(Span<byte> buffer)
    {
        cancellation.ThrowIfCancellationRequested();
        int read = inner.Read(buffer);
        onBytes?.Invoke(read);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
