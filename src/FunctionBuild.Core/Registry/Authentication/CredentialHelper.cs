using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>
/// Asks a program <c>docker-credential-&lt;name&gt;</c> for a credential: the server's name goes to its input, JSON with
/// <c>Username</c> and <c>Secret</c> comes back.
/// </summary>
internal static class CredentialHelper
{
    private const string DockerHubServer = "https://index.docker.io/v1/";
    private const string IdentityTokenUser = "<token>";
    private const string NotFoundText = "credentials not found";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>Asks for a credential; null when the program knows none.</summary>
    /// <param name="name">The program's name without its beginning.</param>
    /// <param name="registry">The registry.</param>
    /// <param name="file">The file that names the program.</param>
    /// <param name="cancellation">Stops at once, and the program with it.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>CredentialHelperNotFound</c> or <c>CredentialHelperFailed</c>.</exception>
    public static async Task<RegistryCredential?> GetAsync(string name, string registry, string file, CancellationToken cancellation)
    {
        string program = $"docker-credential-{name}";
        if (name.Length == 0 || name.AsSpan().ContainsAny('/', '\\'))
        {
            throw Failed(program, file, "that is not the name of a program");
        }

        using Process process = Start(program, file);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Timeout);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            await SendAsync(process, registry == ImageReference.DockerHub ? DockerHubServer : registry).ConfigureAwait(false);
            string answer = await output.ConfigureAwait(false);
            string complaint = await errors.ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? Read(answer, program, file) : Refused(answer, complaint, process.ExitCode, program, file);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Failed(program, file, $"it did not answer within {Timeout.TotalSeconds:N0} seconds");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static Process Start(string program, string file)
    {
        var start = new ProcessStartInfo(program, ["get"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new FunctionBuildException("CredentialHelperNotFound", FaultKind.NotFound, $"'{file}' names the credential helper '{program}', which cannot be run: {e.Message}. Install it, or log in anew without it.", program, e);
        }
    }

    private static async Task SendAsync(Process process, string server)
    {
        try
        {
            await process.StandardInput.WriteLineAsync(server).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code tells why.
        }
    }

    private static RegistryCredential Read(string answer, string program, string file)
    {
        try
        {
            using JsonDocument document = OciJson.ParseObject(System.Text.Encoding.UTF8.GetBytes(answer));
            string user = OciJson.OptionalString(document.RootElement, "Username") ?? string.Empty;
            string secret = OciJson.RequiredString(document.RootElement, "Secret");
            return user == IdentityTokenUser ? RegistryCredential.ForIdentityToken(secret) : RegistryCredential.ForUser(user, secret);
        }
        catch (FormatException)
        {
            // Not even as a cause: the answer holds a secret.
            throw Failed(program, file, "its answer is not JSON with 'Username' and 'Secret'");
        }
    }

    private static RegistryCredential? Refused(string answer, string complaint, int exitCode, string program, string file) =>
        answer.Contains(NotFoundText, StringComparison.OrdinalIgnoreCase) || complaint.Contains(NotFoundText, StringComparison.OrdinalIgnoreCase)
            ? null
            : throw Failed(program, file, $"it ended with {exitCode}. Run it by hand to see why");

    private static FunctionBuildException Failed(string program, string file, string problem) =>
        new("CredentialHelperFailed", FaultKind.Authentication, $"The credential helper '{program}', named in '{file}', gave no credential: {problem}.", program);
}
