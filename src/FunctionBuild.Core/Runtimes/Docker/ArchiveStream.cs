using System.IO.Pipelines;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Saving;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>
/// An image's archive, written as fast as it is read: between the two there is at most a mebibyte.
/// </summary>
internal sealed class ArchiveStream : IAsyncDisposable
{
    private const int PauseThreshold = 1024 * 1024;
    private const int SegmentSize = 64 * 1024;

    private readonly CancellationTokenSource _stop;
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: PauseThreshold, resumeWriterThreshold: PauseThreshold / 2, minimumSegmentSize: SegmentSize, useSynchronizationContext: false));
    private readonly Task _writing;

    public ArchiveStream(string tag, PlatformImage image, Action<int>? onBytes, CancellationToken cancellation)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Content = _pipe.Reader.AsStream();
        _writing = Task.Run(() => Write(tag, image, onBytes), CancellationToken.None);
    }

    /// <summary>The archive's bytes, once, front to back.</summary>
    public Stream Content { get; }

    /// <summary>Why the archive could not be written to its end; null when it could, or is still written.</summary>
    public FunctionBuildException? Failure { get; private set; }

    /// <summary>Whether all of it was written.</summary>
    public bool IsComplete { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Content.DisposeAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Write(string tag, PlatformImage image, Action<int>? onBytes)
    {
        Exception? end = null;
        try
        {
            using Stream target = _pipe.Writer.AsStream(leaveOpen: true);
            DockerArchiveWriter.Write(target, [(tag, image)], LayerForm.Uncompressed, onBytes, _stop.Token);
            IsComplete = true;
        }
        catch (Exception e)
        {
            Failure = e as FunctionBuildException;

            // The reader must see a broken stream, never a short archive that looks complete.
            end = e;
        }

        _pipe.Writer.Complete(end);
    }
}
