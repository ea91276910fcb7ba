using System.Text;
using System.Text.Json;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>A file with credentials: podman's <c>auth.json</c> or Docker's <c>config.json</c>, which have one format.</summary>
internal sealed class CredentialFile
{
    private const string DockerHubAlias = "index.docker.io";
    private readonly Dictionary<string, JsonElement> _entries = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _helpers = new(StringComparer.OrdinalIgnoreCase);
    private readonly string? _store;

    private CredentialFile(string path, JsonElement root)
    {
        Path = path;
        foreach (JsonProperty entry in Entries(root, "auths").Where(e => e.Value.ValueKind == JsonValueKind.Object))
        {
            // The first of several spellings of a name wins.
            _entries.TryAdd(Normalize(entry.Name), entry.Value.Clone());
        }

        foreach (JsonProperty entry in Entries(root, "credHelpers"))
        {
            _helpers.TryAdd(Normalize(entry.Name), entry.Value.ToString());
        }

        _store = OciJson.OptionalString(root, "credsStore");
    }

    public string Path { get; }

    /// <summary>Reads a file; null when it does not exist.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>CredentialFileNotFound</c>, <c>CredentialFileUnreadable</c> or <c>InvalidCredentialFile</c>.</exception>
    public static CredentialFile? Load(string path, bool mustExist)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return mustExist
                ? throw new FunctionBuildException("CredentialFileNotFound", FaultKind.NotFound, $"REGISTRY_AUTH_FILE names '{path}', which does not exist. Log in with podman login, or clear the variable.", path, e)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FunctionBuildException("CredentialFileUnreadable", FaultKind.Read, $"The credentials in '{path}' cannot be read: {e.Message}", path, e);
        }

        try
        {
            using JsonDocument document = OciJson.ParseObject(content);
            return new CredentialFile(path, document.RootElement);
        }
        catch (FormatException e)
        {
            // The cause quotes what it stumbled over, which may be a secret.
            throw Invalid(path, e.InnerException is JsonException { LineNumber: { } line } ? $"line {line + 1} is not valid JSON" : "it is not a JSON object with members of the right types");
        }
    }

    /// <summary>The helper programs to ask for a registry: its own, then the one for all. An empty name says that no program is asked.</summary>
    public IEnumerable<string> HelpersOf(string registry)
    {
        string? own = _helpers.GetValueOrDefault(registry);
        return own == string.Empty ? [] : new[] { own, _store }.OfType<string>();
    }

    /// <summary>The credential for a repository, or for the nearest namespace above it, or for its registry; null when there is none.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidCredentialFile</c>.</exception>
    public RegistryCredential? Find(string registry, string repository)
    {
        for (string name = $"{registry}/{repository}"; ; name = name[..name.LastIndexOf('/')])
        {
            if (_entries.TryGetValue(name, out JsonElement entry) && Read(name, entry) is { } credential)
            {
                return credential;
            }

            if (!name.Contains('/', StringComparison.Ordinal))
            {
                return null;
            }
        }
    }

    private static JsonElement.ObjectEnumerator Entries(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement map) && map.ValueKind == JsonValueKind.Object ? map.EnumerateObject() : default;

    private RegistryCredential? Read(string name, JsonElement entry)
    {
        try
        {
            if (OciJson.OptionalString(entry, "identitytoken") is { } token)
            {
                return RegistryCredential.ForIdentityToken(token);
            }

            if (OciJson.OptionalString(entry, "auth") is { } encoded)
            {
                (string user, string password) = Decode(encoded);
                return RegistryCredential.ForUser(user, password);
            }

            return OciJson.OptionalString(entry, "username") is { } userName && OciJson.OptionalString(entry, "password") is { } secret
                ? RegistryCredential.ForUser(userName, secret)
                : null;
        }
        catch (FormatException)
        {
            // Not even as a cause: it may quote a secret.
            throw Invalid(Path, $"the entry of '{name}' is not a user name and a password in base64");
        }
    }

    private static (string User, string Password) Decode(string encoded)
    {
        string text = Encoding.UTF8.GetString(Convert.FromBase64String(encoded));
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 ? (text[..colon], text[(colon + 1)..].TrimEnd('\0')) : throw new FormatException("'auth' has no user name");
    }

    /// <summary>Docker writes addresses of the registry's first API, podman names of hosts and namespaces.</summary>
    private static string Normalize(string key)
    {
        int scheme = key.IndexOf("://", StringComparison.Ordinal);
        string name = (scheme < 0 ? key : key[(scheme + 3)..]).TrimEnd('/');
        if (scheme >= 0 || name.EndsWith("/v1", StringComparison.Ordinal) || name.EndsWith("/v2", StringComparison.Ordinal))
        {
            name = name.Split('/')[0];
        }

        return name == DockerHubAlias ? ImageReference.DockerHub : name;
    }

    private static FunctionBuildException Invalid(string path, string problem) =>
        new("InvalidCredentialFile", FaultKind.InvalidData, $"'{path}' is not a file of credentials as docker login or podman login write it: {problem}. Log in again, or mend it.", path);
}
