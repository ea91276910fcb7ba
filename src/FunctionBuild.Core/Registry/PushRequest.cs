using FunctionBuild.Core.Packages;

namespace FunctionBuild.Core.Registry;

/// <summary>One function image to be pushed.</summary>
/// <param name="Image">The image.</param>
/// <param name="Tags">The tags that it gets, in the order in which they are put; none leaves it to be found by digest only.</param>
public sealed record PushRequest(FunctionImage Image, IReadOnlyList<string> Tags)
{
    /// <summary>Where to, without tag; the image's own repository when null.</summary>
    public string? Repository { get; init; }

    /// <summary>The tag that the reference implementation gives when none is named: <c>v0.0.0-&lt;seconds since 1970&gt;</c>.</summary>
    public static string DefaultTag(DateTimeOffset now) => $"v0.0.0-{now.ToUnixTimeSeconds()}";
}
