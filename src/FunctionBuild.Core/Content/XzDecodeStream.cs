using System.Buffers.Binary;
using SharpCompress.Compressors.Xz;
using Crc32 = System.IO.Hashing.Crc32;

namespace FunctionBuild.Core.Content;

/// <summary>
/// The xz container (format specification 1.2.0): streams one after the other, with padding, each with its blocks, index
/// and footer. SharpCompress decodes and checks the blocks; its own container reader accepts one stream only and does
/// not verify the index.
/// </summary>
internal sealed class XzDecodeStream(DecoderSource source) : ReadOnlyStream
{
    private const int MagicLength = 6;
    private const int MaximumBlocks = 1_000_000;
    private const ulong Lzma2Filter = 0x21;

    // 128 MiB: twice what "xz -9" asks for. The decoder reserves at once what the block's header claims.
    private const int MaximumDictionaryBits = 30;

    private readonly List<(long Size, long Uncompressed)> _blocks = [];
    private readonly byte[] _flags = new byte[2];
    private XZBlock? _block;
    private long _blockStart;
    private long _blockLength;
    private bool _inStream;

    public override int Read(Span<byte> buffer)
    {
        while (!buffer.IsEmpty && (_block is not null || OpenBlock()))
        {
            int read = _block!.Read(buffer);
            _blockLength += read;
            if (read < buffer.Length)
            {
                // The block has ended, and its check was right.
                _blocks.Add((source.Position - _blockStart, _blockLength));
                _block = null;
            }

            if (read > 0)
            {
                return read;
            }
        }

        return 0;
    }

    /// <summary>Goes on to the next block, across the end of a stream; false at the end of the last one.</summary>
    private bool OpenBlock()
    {
        if (!_inStream)
        {
            ReadStreamHeader();
        }

        while (source.Peek(1) is [0])
        {
            ReadFooter(ReadIndex());
            SkipPadding();
            if (source.Peek(1).IsEmpty)
            {
                return false;
            }

            ReadStreamHeader();
        }

        CheckBlockHeader();
        Require(_blocks.Count < MaximumBlocks, "there are too many blocks");
        _blockStart = source.Position;
        _blockLength = 0;
        _block = new XZBlock(source, (CheckType)_flags[1], CheckSize);
        return true;
    }

    private int CheckSize => _flags[1] == 0 ? 0 : 4 << ((_flags[1] - 1) / 3);

    private void ReadStreamHeader()
    {
        Require(source.Peek(MagicLength) is [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "data that are not xz follow the end of the compressed stream");
        source.ReadExactly(stackalloc byte[MagicLength]);
        source.ReadExactly(_flags);
        Require(Crc32.HashToUInt32(_flags) == ReadUInt32(), "the stream header is damaged");
        Require(_flags[0] == 0 && _flags[1] is 0 or 1 or 4 or 10, "the stream has a kind of check that is not known");
        _blocks.Clear();
        _inStream = true;
    }

    /// <summary>Refuses a block that would need an absurd amount of memory, before the decoder takes it.</summary>
    private void CheckBlockHeader()
    {
        ReadOnlySpan<byte> start = source.Peek(1);
        byte[] header = start.IsEmpty ? [] : source.Peek((start[0] + 1) * 4).ToArray();
        if (header.Length < 8 || header.Length < (header[0] + 1) * 4)
        {
            throw new EndOfStreamException("the stream ends within a block header");
        }

        Require(Crc32.HashToUInt32(header.AsSpan()[..^4]) == BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(header.Length - 4)), "a block header is damaged");
        using var fields = new MemoryStream(header, 2, header.Length - 6);
        for (int sizes = header[1] >> 6; sizes > 0; sizes &= sizes - 1)
        {
            ReadNumber(fields);
        }

        for (int filters = (header[1] & 3) + 1; filters > 0; filters--)
        {
            ulong id = ReadNumber(fields);
            byte[] properties = new byte[Math.Min(ReadNumber(fields), (ulong)fields.Length)];
            fields.ReadExactly(properties);
            Require(id != Lzma2Filter || properties is [<= MaximumDictionaryBits], "a block needs more than 128 MiB of memory to decompress");
        }
    }

    /// <summary>Compares the index with the blocks that were read; how many bytes it has.</summary>
    private long ReadIndex()
    {
        long start = source.Position;
        var index = new ChecksummedStream(source);
        index.ReadByte();
        Require(ReadNumber(index) == (ulong)_blocks.Count, "the index does not match the blocks");
        foreach ((long size, long uncompressed) in _blocks)
        {
            // The index gives sizes without the padding between a block's data and its check.
            ulong padded = ((ReadNumber(index) - (ulong)CheckSize + 3) & ~3ul) + (ulong)CheckSize;
            Require(padded == (ulong)size && ReadNumber(index) == (ulong)uncompressed, "the index does not match the blocks");
        }

        while ((source.Position - start) % 4 != 0)
        {
            Require(index.ReadByte() == 0, "the index is damaged");
        }

        uint sum = index.Sum;
        Require(ReadUInt32() == sum, "the index is damaged");
        return source.Position - start;
    }

    private void ReadFooter(long indexLength)
    {
        uint sum = ReadUInt32();
        byte[] fields = new byte[6];
        source.ReadExactly(fields);
        Span<byte> magic = stackalloc byte[2];
        source.ReadExactly(magic);
        Require(
            Crc32.HashToUInt32(fields) == sum
            && (BinaryPrimitives.ReadUInt32LittleEndian(fields) + 1L) * 4 == indexLength
            && fields.AsSpan(4).SequenceEqual(_flags)
            && magic.SequenceEqual("YZ"u8),
            "the stream footer is damaged");
    }

    private void SkipPadding()
    {
        while (source.Peek(4) is [0, 0, 0, 0])
        {
            ReadUInt32();
        }
    }

    private uint ReadUInt32()
    {
        Span<byte> number = stackalloc byte[4];
        source.ReadExactly(number);
        return BinaryPrimitives.ReadUInt32LittleEndian(number);
    }

    private static ulong ReadNumber(Stream stream)
    {
        ulong number = 0;
        for (int shift = 0; shift < 63; shift += 7)
        {
            int next = stream.ReadByte();
            if (next < 0)
            {
                throw new EndOfStreamException("the stream ends within a number");
            }

            number |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return number;
            }
        }

        throw new InvalidDataException("a number is too large");
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidDataException(otherwise);
        }
    }

    /// <summary>Passes bytes on and sums them up.</summary>
    private sealed class ChecksummedStream(DecoderSource inner) : ReadOnlyStream
    {
        private readonly Crc32 _crc = new();

        public uint Sum => _crc.GetCurrentHashAsUInt32();

        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            _crc.Append(buffer[..read]);
            return read;
        }
    }
}
