using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Registry;

/// <summary>What a push would do, as the registry stands now.</summary>
public sealed record PushPlan
{
    /// <summary>The function's name.</summary>
    public required string Name { get; init; }

    /// <summary>Registry and repository.</summary>
    public required string Repository { get; init; }

    /// <summary>Digest of the index.</summary>
    public Digest Digest => Image.Digest;

    /// <summary>The blobs that would be sent, or mounted where another repository of the same call has them.</summary>
    public required IReadOnlyList<Digest> Missing { get; init => field = ReadOnly.Copy(value); }

    /// <summary>The bytes of the missing blobs.</summary>
    public required long BytesMissing { get; init; }

    /// <summary>How many of the missing blobs another repository of the same call has, or gets first.</summary>
    public required int Mountable { get; init; }

    /// <summary>How many blobs are there.</summary>
    public required int Existing { get; init; }

    /// <summary>What would become of each tag.</summary>
    public required IReadOnlyList<PlannedTag> Tags { get; init => field = ReadOnly.Copy(value); }

    /// <summary>What would be pushed.</summary>
    public required FunctionImage Image { get; init; }
}
