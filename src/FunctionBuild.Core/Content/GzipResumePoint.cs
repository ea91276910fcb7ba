using System.IO.Hashing;

namespace FunctionBuild.Core.Content;

/// <summary>
/// A place in a gzip file where decompression can begin: the first bit of a deflate block. It carries what the blocks
/// from there on may refer to, and what the end of their member is checked against.
/// </summary>
internal sealed class GzipResumePoint
{
    private readonly byte[] _window;
    private readonly int _windowLength;
    private readonly Crc32 _crc;

    /// <summary>A point whose window and CRC-32 are copied; a recycled one, which nobody else may know, gives it its memory.</summary>
    public GzipResumePoint(
        long sourceOffset, int bitOffset, long outputOffset, long memberLength, ReadOnlySpan<byte> window, Crc32 crc, GzipResumePoint? recycled = null)
    {
        SourceOffset = sourceOffset;
        BitOffset = bitOffset;
        OutputOffset = outputOffset;
        MemberLength = memberLength;
        _window = recycled?._window.Length >= window.Length ? recycled._window : new byte[window.Length];
        _windowLength = window.Length;
        window.CopyTo(_window);
        _crc = crc.Clone();
    }

    /// <summary>The byte of the file that holds the block's first bit.</summary>
    public long SourceOffset { get; }

    /// <summary>That bit within the byte, 0 (the lowest) to 7.</summary>
    public int BitOffset { get; }

    /// <summary>How many bytes decompress before the point, in all members.</summary>
    public long OutputOffset { get; }

    /// <summary>How many of them belong to the point's own member.</summary>
    public long MemberLength { get; }

    /// <summary>Whether somebody besides the decoder that found it knows the point, so that its memory is not to be taken.</summary>
    public bool IsShared { get; set; }

    /// <summary>The member's output before the point, as far as deflate can refer back to it.</summary>
    public ReadOnlySpan<byte> Window => _window.AsSpan(0, _windowLength);

    /// <summary>A CRC-32 to go on with.</summary>
    public Crc32 CopyCrc() => _crc.Clone();
}
