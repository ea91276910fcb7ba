using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Content;

/// <summary>
/// Content whose beginning has been read already: the part that was found equal to a file comes from that file, the
/// block read last from memory, the rest from the source.
/// </summary>
internal sealed class ReplayStream(SafeFileHandle? file, long fileLength, ReadOnlyMemory<byte> block, Stream rest) : ReadOnlyStream
{
    private long _filePosition;
    private int _blockPosition;

    public override int Read(Span<byte> buffer)
    {
        if (_filePosition < fileLength)
        {
            int read = RandomAccess.Read(file!, buffer[..(int)Math.Min(buffer.Length, fileLength - _filePosition)], _filePosition);
            _filePosition += read;
            return read > 0 ? read : throw new EndOfStreamException();
        }

        if (_blockPosition < block.Length)
        {
            int count = Math.Min(buffer.Length, block.Length - _blockPosition);
            block.Span.Slice(_blockPosition, count).CopyTo(buffer);
            _blockPosition += count;
            return count;
        }

        return rest.Read(buffer);
    }
}
