using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Registry;

/// <summary>A function image that a registry has, under all of its tags.</summary>
public sealed record PushResult
{
    /// <summary>The function's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is: the first tag's reference, or by digest when there is no tag.</summary>
    public string Reference => References.Count > 0 ? References[0] : $"{Repository}@{Digest}";

    /// <summary>Registry and repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The references with tags, in the order of the request.</summary>
    public required IReadOnlyList<string> References { get; init => field = ReadOnly.Copy(value); }

    /// <summary>Digest of the index.</summary>
    public Digest Digest => Image.Digest;

    /// <summary>The platforms' manifests, in the order of the index.</summary>
    public IReadOnlyList<PushedPlatform> Images => ReadOnly.Copy<PushedPlatform>([.. Image.Images.Select(i => new PushedPlatform(i.Platform, i.Digest))]);

    /// <summary>Distinct blobs that were sent.</summary>
    public required int BlobsPushed { get; init; }

    /// <summary>Distinct blobs that the registry mounted from another repository; in a new one also those that a push which broke off had left there.</summary>
    public required int BlobsMounted { get; init; }

    /// <summary>Distinct blobs that were there, or that another function of the same call brought to the same repository.</summary>
    public required int BlobsExisting { get; init; }

    /// <summary>Bytes of blobs that travelled, those that had to travel twice included.</summary>
    public required long BytesSent { get; init; }

    /// <summary>From the first question to the last tag.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>What was pushed.</summary>
    public required FunctionImage Image { get; init; }

    /// <summary>The workspace that holds it.</summary>
    public BuildWorkspace Workspace => Image.Workspace;

    /// <summary>Reference and digest.</summary>
    public override string ToString() => References.Count > 0 ? $"{Reference}@{Digest}" : Reference;
}
