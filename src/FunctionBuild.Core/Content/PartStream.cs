namespace FunctionBuild.Core.Content;

/// <summary>The next bytes of another stream, as many as are asked for.</summary>
internal sealed class PartStream(Stream inner, long length) : ReadOnlyStream
{
    private long _left = length;

    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
        _left -= read;
        return read;
    }
}
