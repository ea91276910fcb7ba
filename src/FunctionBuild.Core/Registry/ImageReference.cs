using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// A place in a registry, by the distribution project's grammar. A name without a host is one of Docker Hub's, where a
/// path of one part stands in <c>library/</c>.
/// </summary>
public sealed record ImageReference
{
    /// <summary>The name by which references call Docker Hub.</summary>
    public const string DockerHub = "docker.io";

    private const string DockerHubAlias = "index.docker.io";
    private const string OfficialPrefix = "library/";

    private ImageReference(string registry, string repository)
    {
        Registry = registry;
        Repository = repository;
    }

    /// <summary>Host and, where it is named, port.</summary>
    public string Registry { get; }

    /// <summary>The path within the registry.</summary>
    public string Repository { get; }

    /// <summary>The tag; null when none is named.</summary>
    public string? Tag { get; private init; }

    /// <summary>The digest; null when none is named.</summary>
    public Digest? Digest { get; private init; }

    /// <summary>Registry and path, without tag and digest.</summary>
    public string Name => $"{Registry}/{Repository}";

    /// <summary>Parses <c>[host[:port]/]path[:tag][@digest]</c>.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidReference</c>; the message tells what is wrong.</exception>
    public static ImageReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string rest = text;
        Digest? digest = null;
        int at = rest.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            digest = Oci.Digest.TryParse(rest[(at + 1)..], out Digest parsed)
                ? parsed
                : throw Invalid(text, $"'{rest[(at + 1)..]}' is not a digest, which is 'sha256:' and 64 lower-case hexadecimal digits");
            rest = rest[..at];
        }

        string? tag = null;
        int colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/') && !rest.Contains("://", StringComparison.Ordinal))
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
        }

        string? problem = ReferenceGrammar.FindNameProblem(rest) ?? (tag is null ? null : ReferenceGrammar.FindTagProblem(tag));
        return problem is null ? Of(rest) with { Tag = tag, Digest = digest } : throw Invalid(text, problem);
    }

    /// <summary>The same repository with a tag and no digest.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidReference</c>.</exception>
    public ImageReference WithTag(string tag)
    {
        ArgumentNullException.ThrowIfNull(tag);
        return ReferenceGrammar.FindTagProblem(tag) is { } problem
            ? throw Invalid($"{Name}:{tag}", problem)
            : this with { Tag = tag, Digest = null };
    }

    /// <summary>The reference in full.</summary>
    public override string ToString() =>
        Name + (Tag is null ? string.Empty : $":{Tag}") + (Digest is null ? string.Empty : $"@{Digest}");

    private static ImageReference Of(string name)
    {
        (string? host, string path) = ReferenceGrammar.Split(name);
        string registry = host is null or DockerHubAlias ? DockerHub : host;
        return registry == DockerHub && !path.Contains('/', StringComparison.Ordinal)
            ? new ImageReference(registry, OfficialPrefix + path)
            : new ImageReference(registry, path);
    }

    private static FunctionBuildException Invalid(string text, string problem) => new(
        "InvalidReference",
        FaultKind.InvalidArgument,
        $"'{text}' is not a reference to an image: {problem}. Expected [host[:port]/]path[:tag][@digest].",
        text);
}
