using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// Reads layers one after the other, verifying and decompressing them ahead of whoever takes them, within a fixed
/// amount of memory.
/// </summary>
internal sealed class ReadAheadLayers : IAsyncDisposable
{
    private const int BlockSize = 256 * 1024;
    private const int BlocksAhead = 32;

    private readonly BlockingCollection<Block> _blocks = new(BlocksAhead);
    private readonly CancellationTokenSource _stop;
    private readonly Task _reading;

    /// <param name="layers">The layers' bytes, compressed or not, in the order in which they are taken.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public ReadAheadLayers(IReadOnlyList<Blob> layers, CancellationToken cancellation)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        CancellationToken token = _stop.Token;
        _reading = Task.Run(() => Read(layers, token), CancellationToken.None);
    }

    /// <summary>The next layer's uncompressed tar. It must be read to its end before the next is taken.</summary>
    public Stream Next() => new LayerStream(this);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (_blocks.TryTake(out Block block))
        {
            Return(block);
        }

        _blocks.Dispose();
        _stop.Dispose();
    }

    private void Read(IReadOnlyList<Blob> layers, CancellationToken cancellation)
    {
        try
        {
            foreach (Blob layer in layers)
            {
                ReadLayer(layer, cancellation);
                _blocks.Add(default, cancellation);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _blocks.Add(new Block(null, 0, ExceptionDispatchInfo.Capture(e)), cancellation);
        }
    }

    private void ReadLayer(Blob layer, CancellationToken cancellation)
    {
        using Stream source = layer.OpenRead();
        byte[] head = new byte[Codecs.SniffLength];
        int filled = source.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        Compression compression = Codecs.Sniff(head.AsSpan(0, filled));
        using var whole = new ReplayStream(null, 0, head.AsMemory(0, filled), source);
        using Stream? decoder = compression == Compression.None ? null : Codecs.OpenDecoder(compression, whole);
        Stream content = decoder ?? whole;
        while (true)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
            int length;
            try
            {
                length = content.ReadAtLeast(buffer.AsSpan(0, BlockSize), BlockSize, throwOnEndOfStream: false);
            }
            catch (DecodeException e)
            {
                // It could be decompressed when it was imported.
                throw layer.Changed("was changed", e);
            }

            if (length == 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                return;
            }

            _blocks.Add(new Block(buffer, length, null), cancellation);
        }
    }

    private static void Return(Block block)
    {
        if (block.Buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(block.Buffer);
        }
    }

    /// <summary>A piece of a layer, or why there is none; the end of a layer when it is neither.</summary>
    private readonly record struct Block(byte[]? Buffer, int Length, ExceptionDispatchInfo? Failure);

    private sealed class LayerStream(ReadAheadLayers owner) : ReadOnlyStream
    {
        private Block _block;
        private int _position;
        private bool _ended;

        public override int Read(Span<byte> buffer)
        {
            if (buffer.IsEmpty || (_position == _block.Length && !Advance()))
            {
                return 0;
            }

            int count = Math.Min(buffer.Length, _block.Length - _position);
            _block.Buffer.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                ReadAheadLayers.Return(_block);
                _block = default;
                _position = 0;
                _ended = true;
            }

            base.Dispose(disposing);
        }

        private bool Advance()
        {
            if (_ended)
            {
                return false;
            }

            ReadAheadLayers.Return(_block);
            _block = default;
            _position = 0;
            _block = owner._blocks.Take(owner._stop.Token);
            _block.Failure?.Throw();
            _ended = _block.Buffer is null;
            return !_ended;
        }
    }
}
