using System.Buffers.Binary;
using System.Formats.Tar;
using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Tarballs;

/// <summary>
/// What the tar reader reads from. It looks at each header before the reader does: it verifies the checksum, which the
/// reader ignores, and refuses long names and extended headers of absurd size, for which the reader would take memory.
/// </summary>
internal sealed class HeaderGuardStream(Stream inner, long position = 0) : ReadOnlyStream
{
    /// <summary>The largest extended header accepted, in bytes.</summary>
    public const int MaximumHeader = 1024 * 1024;

    private const int BlockSize = 512;
    private const int SizeField = 124;
    private const int SizeLength = 12;
    private const int ChecksumField = 148;
    private const int ChecksumLength = 8;
    private const int TypeField = 156;
    private const int MagicField = 257;

    private long _position = position;
    private long _nextHeader;

    /// <summary>Whether the tar reader is reading a header.</summary>
    public bool InHeader { get; set; }

    /// <summary>The type of the last header.</summary>
    public TarEntryType EntryType { get; private set; }

    /// <summary>Whether a header had the mark of a tar archive.</summary>
    public bool HasMagic { get; private set; }

    /// <summary>Bytes read so far: the offset of the next byte in the archive.</summary>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        bool isHeader = InHeader && buffer.Length == BlockSize && _position >= _nextHeader;
        int read = isHeader ? inner.ReadAtLeast(buffer, BlockSize, throwOnEndOfStream: false) : inner.Read(buffer);
        _position += read;
        if (isHeader && read == BlockSize)
        {
            Check(buffer);
        }

        return read;
    }

    private void Check(ReadOnlySpan<byte> header)
    {
        EntryType = (TarEntryType)header[TypeField];
        HasMagic |= header[MagicField..].StartsWith("ustar"u8);
        if (header.ContainsAnyExcept((byte)0) && Sum(header) != ParseNumber(header.Slice(ChecksumField, ChecksumLength)))
        {
            throw new InvalidDataException("its checksum is wrong.");
        }

        if (EntryType is TarEntryType.LongPath or TarEntryType.LongLink or TarEntryType.ExtendedAttributes or TarEntryType.GlobalExtendedAttributes)
        {
            ulong size = ParseNumber(header.Slice(SizeField, SizeLength));
            if (size > MaximumHeader)
            {
                throw new HeaderTooLargeException(size);
            }

            // What follows is the header's content, and not a header, even if the reader reads it in one block.
            _nextHeader = _position + ((long)size + BlockSize - 1) / BlockSize * BlockSize;
        }
    }

    /// <summary>The sum of the header's bytes, its checksum taken for spaces.</summary>
    private static ulong Sum(ReadOnlySpan<byte> header)
    {
        ulong sum = ChecksumLength * (ulong)' ';
        for (int i = 0; i < header.Length; i++)
        {
            sum += i is >= ChecksumField and < ChecksumField + ChecksumLength ? 0u : header[i];
        }

        return sum;
    }

    /// <summary>A number in octal digits, or in binary when the first bit is set (GNU). A malformed one is left to the reader.</summary>
    private static ulong ParseNumber(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            return BinaryPrimitives.ReadUInt64BigEndian(field[^sizeof(ulong)..]);
        }

        ulong number = 0;
        foreach (byte digit in field.Trim(" \0"u8))
        {
            number = (number << 3) + (ulong)(digit & 7);
        }

        return number;
    }
}
