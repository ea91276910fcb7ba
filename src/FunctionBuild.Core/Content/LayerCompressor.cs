using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Compression;
using FunctionBuild.Core.Oci;
using SharpCompress.Compressors.ZStandard;

namespace FunctionBuild.Core.Content;

/// <summary>Compresses layers, each once per way of compressing it in the life of a workspace.</summary>
internal sealed class LayerCompressor(BlobStore store)
{
    // The encoder's output may depend on the sizes in which it is fed; a constant size makes it depend on content alone.
    private const int BlockSize = 128 * 1024;

    private readonly ConcurrentDictionary<(Digest DiffId, Compression, int Level), SemaphoreSlim> _gates = [];
    private readonly ConcurrentDictionary<(Digest DiffId, Compression, int Level), Blob> _done = [];

    /// <summary>The compressed form of an uncompressed layer; made now, unless it was made before.</summary>
    /// <param name="layer">The uncompressed layer; its digest is the diff ID.</param>
    /// <param name="compression">gzip or zstd.</param>
    /// <param name="level">The encoder's level.</param>
    /// <param name="onBytes">Told how many bytes of the layer were taken in.</param>
    /// <param name="cancellation">Stops at once; nothing is left.</param>
    public async Task<Blob> CompressAsync(Blob layer, Compression compression, int level, Action<int>? onBytes, CancellationToken cancellation)
    {
        (Digest, Compression, int) key = (layer.Digest, compression, level);
        SemaphoreSlim gate = _gates.GetOrAdd(key, _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!_done.TryGetValue(key, out Blob? blob))
            {
                blob = Compress(layer, compression, level, onBytes, cancellation);
                _done[key] = blob;
            }

            return blob;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Compresses small content and keeps it.</summary>
    public Blob Compress(ReadOnlySpan<byte> content, Compression compression, int level)
    {
        using BlobWriter writer = store.NewWriter();
        using (Stream encoder = OpenEncoder(writer, compression, level))
        {
            encoder.Write(content);
        }

        return store.Keep(writer);
    }

    private static Stream OpenEncoder(Stream target, Compression compression, int level) => compression switch
    {
        Compression.Gzip => new GZipStream(new PortableGzipStream(target), new ZLibCompressionOptions { CompressionLevel = level }),
        Compression.Zstd => new CompressionStream(target, level, 0, leaveOpen: true),
        _ => throw new ArgumentOutOfRangeException(nameof(compression), compression, "Layers are written as gzip or zstd."),
    };

    private Blob Compress(Blob layer, Compression compression, int level, Action<int>? onBytes, CancellationToken cancellation)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            using BlobWriter writer = store.NewWriter();
            using (Stream source = layer.OpenRead())
            using (Stream encoder = OpenEncoder(writer, compression, level))
            {
                int filled;
                while ((filled = source.ReadAtLeast(block.AsSpan(0, BlockSize), BlockSize, throwOnEndOfStream: false)) > 0)
                {
                    cancellation.ThrowIfCancellationRequested();
                    encoder.Write(block.AsSpan(0, filled));
                    onBytes?.Invoke(filled);
                }
            }

            return store.Keep(writer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>
    /// Passes a gzip stream on with the same header everywhere: the byte that names the operating system becomes 255,
    /// "unknown" (RFC 1952, section 2.3.1). Leaves the target open.
    /// </summary>
    private sealed class PortableGzipStream(Stream target) : Stream
    {
        private const int OsPosition = 9;
        private long _position;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            int os = (int)Math.Min(OsPosition - _position, buffer.Length);
            _position += buffer.Length;
            if (os < 0 || os == buffer.Length)
            {
                target.Write(buffer);
                return;
            }

            target.Write(buffer[..os]);
            target.Write([0xFF]);
            target.Write(buffer[(os + 1)..]);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
