using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Prefixes;

/// <summary>A tarball's decompressed bytes; tells the trail of the points that are passed.</summary>
internal sealed class MarkedStream(GzipDecodeStream decoder, PrefixTrail trail, long position) : ReadOnlyStream
{
    private long _position = position;

    public override int Read(Span<byte> buffer)
    {
        int read = decoder.Read(buffer);
        _position += read;
        if (trail.WantsPoint(_position) && decoder.PointBefore(_position) is { } point)
        {
            trail.AddPoint(point);
        }

        return read;
    }
}
