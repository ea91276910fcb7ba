using Docker.DotNet;
using Docker.DotNet.Models;
using FunctionBuild.Core.Registry;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>Lets an engine pull an image, with the credentials that a push would find.</summary>
internal sealed class ImagePull(DockerEngine engine, RuntimeOptions options)
{
    private const string DockerHubServer = "https://index.docker.io/v1/";
    private const string DefaultTag = "latest";

    /// <summary>Pulls an image.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidReference</c>, <c>ImageNotFound</c>, <c>ImagePullFailed</c>, <c>DockerUnavailable</c>, or what the lookup of credentials throws.</exception>
    public async Task PullAsync(string function, string reference, CancellationToken cancellation)
    {
        var parsed = ImageReference.Parse(reference);
        var secrets = new SecretFilter();
        using var lookup = new CredentialLookup(parsed.Registry, new RegistryOptions { Environment = options.Environment, Report = options.Report }, secrets);
        RegistryCredential? credential = await lookup.FindAsync(parsed.Repository, cancellation).ConfigureAwait(false);
        options.Report?.Invoke($"{function}: the engine at {engine.Address} pulls {reference}.");

        var messages = new EngineMessages();
        var parameters = new ImagesCreateParameters { FromImage = parsed.Name, Tag = parsed.Digest?.ToString() ?? parsed.Tag ?? DefaultTag };
        try
        {
            await engine.AskAsync(
                $"pull '{reference}'",
                async client =>
                {
                    await client.Images.CreateImageAsync(parameters, AuthOf(parsed, credential), messages, cancellation).ConfigureAwait(false);
                    return true;
                },
                cancellation).ConfigureAwait(false);
        }
        catch (FunctionBuildException e) when (e.ErrorId == "DockerRefused")
        {
            throw Failed(DockerEngine.Reason(e.InnerException!), e.InnerException is DockerApiException { StatusCode: System.Net.HttpStatusCode.NotFound });
        }

        if (messages.Error is { } error)
        {
            throw Failed(error, false);
        }

        FunctionBuildException Failed(string reason, bool missing) => missing
            ? NotFound(function, reference, $"the engine cannot pull it: {secrets.Clean(reason)}")
            : new FunctionBuildException("ImagePullFailed", FaultKind.Connection, $"The engine at '{engine.Address}' cannot pull '{reference}' for function '{function}' ({(credential is null ? "without credentials" : $"as {credential}")}): {secrets.Clean(reason)}", reference);
    }

    public static FunctionBuildException NotFound(string function, string reference, string why) =>
        new("ImageNotFound", FaultKind.NotFound, $"There is no image '{reference}' for function '{function}': {why}. Correct the reference, pull the image, or build the function and pass it in the pipeline.", reference);

    private static AuthConfig? AuthOf(ImageReference reference, RegistryCredential? credential)
    {
        if (credential is null)
        {
            return null;
        }

        string server = reference.Registry == ImageReference.DockerHub ? DockerHubServer : reference.Registry;
        return credential.IsIdentityToken
            ? new AuthConfig { IdentityToken = credential.Secret, ServerAddress = server }
            : new AuthConfig { Username = credential.UserName, Password = credential.Secret, ServerAddress = server };
    }
}
