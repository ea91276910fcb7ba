using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace FunctionBuild.Core.Registry;

/// <summary>A part of a blob as the body of a request. It is read while it is sent, and can be sent again.</summary>
internal sealed class BlobContent : HttpContent
{
    private const int BufferSize = 128 * 1024;

    private readonly BlobSource _source;
    private readonly long _offset;
    private readonly long _length;
    private readonly Action<long> _onPosition;
    private readonly Watchdog _watchdog;
    private Task _sending = Task.CompletedTask;

    /// <summary>Describes the part.</summary>
    /// <param name="source">The blob.</param>
    /// <param name="offset">Where the part begins.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="onPosition">Told how far into the blob sending has come.</param>
    /// <param name="watchdog">Told that something moves.</param>
    public BlobContent(BlobSource source, long offset, long length, Action<long> onPosition, Watchdog watchdog)
    {
        _source = source;
        _offset = offset;
        _length = length;
        _onPosition = onPosition;
        _watchdog = watchdog;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    /// <summary>Waits until nothing reads the blob any more, and throws what reading it threw.</summary>
    public async Task FinishAsync()
    {
        try
        {
            await _sending.ConfigureAwait(false);
        }
        catch (Exception e) when (e is not FunctionBuildException)
        {
            // The connection's failure, which the request tells of itself.
        }
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _sending = SendAsync(stream, cancellationToken);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    private async Task SendAsync(Stream stream, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (long sent = 0; sent < _length;)
            {
                int read = _source.Read(_offset + sent, buffer.AsSpan(0, (int)Math.Min(buffer.Length, _length - sent)));
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
                sent += read;
                _onPosition(_offset + sent);
                _watchdog.Moved();
            }

            _watchdog.Sent();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
