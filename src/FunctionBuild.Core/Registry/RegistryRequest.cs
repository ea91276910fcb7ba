using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Registry;

/// <summary>One request to a registry or a token service.</summary>
/// <param name="Method">The method.</param>
/// <param name="Uri">The address.</param>
/// <param name="What">What it is for, as the subject of a sentence in an error: "PUT of the manifest v1".</param>
internal sealed record RegistryRequest(HttpMethod Method, Uri Uri, string What)
{
    /// <summary>What the request must be allowed to do.</summary>
    public AccessScope Scope { get; init; } = AccessScope.None;

    /// <summary>Makes the body; null for none. Called for each attempt.</summary>
    public Func<Watchdog, HttpContent>? Content { get; init; }

    /// <summary>Whether an answer may be one of the manifests' media types.</summary>
    public bool AcceptsManifests { get; init; }

    /// <summary>The request as HTTP has it, for one address of perhaps several.</summary>
    public HttpRequestMessage ToMessage(Uri uri, Watchdog watchdog)
    {
        var message = new HttpRequestMessage(Method, uri)
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = Content?.Invoke(watchdog),
        };
        if (AcceptsManifests)
        {
            foreach (string mediaType in new[] { MediaTypes.OciIndex, MediaTypes.OciManifest, MediaTypes.DockerIndex, MediaTypes.DockerManifest })
            {
                message.Headers.Accept.ParseAdd(mediaType);
            }
        }

        return message;
    }
}
