using System.Collections.Concurrent;

namespace FunctionBuild.Core.Registry.Authentication;

/// <summary>
/// Finds the credential for a repository: the one that was given, or the first that a file or its helper program has.
/// Files are read and helpers are run once.
/// </summary>
internal sealed class CredentialLookup(string registry, RegistryOptions options, SecretFilter secrets) : IDisposable
{
    private readonly Lazy<IReadOnlyList<CredentialFile>> _files = new(() =>
        [.. Files(options).Select(f => CredentialFile.Load(f.Path, f.MustExist)).OfType<CredentialFile>()]);

    private readonly ConcurrentDictionary<string, RegistryCredential?> _found = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RegistryCredential?> _helped = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _gate = new(1, 1);

    /// <summary>Where it was looked, for those who wonder why nothing was found.</summary>
    public string Places => options.Credential is not null
        ? "-Credential was given"
        : $"looked in {string.Join(", ", Files(options).Select(f => $"'{f.Path}'"))}";

    /// <summary>The credential for a repository; null when there is none.</summary>
    /// <exception cref="FunctionBuildException">A file or a helper is not as it should be.</exception>
    public async Task<RegistryCredential?> FindAsync(string repository, CancellationToken cancellation)
    {
        if (_found.TryGetValue(repository, out RegistryCredential? found))
        {
            return found;
        }

        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!_found.TryGetValue(repository, out found))
            {
                found = options.Credential ?? await SearchAsync(repository, cancellation).ConfigureAwait(false);
                if (found is not null)
                {
                    secrets.Add(found.Secret);
                    secrets.Add(found.BasicParameter);
                }

                _found[repository] = found;
            }

            return found;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private async Task<RegistryCredential?> SearchAsync(string repository, CancellationToken cancellation)
    {
        foreach (CredentialFile file in _files.Value)
        {
            RegistryCredential? credential = null;
            foreach (string helper in file.HelpersOf(registry))
            {
                credential ??= await AskAsync(helper, file, cancellation).ConfigureAwait(false);
            }

            credential ??= file.Find(registry, repository);
            if (credential is not null)
            {
                options.Report?.Invoke($"{registry}/{repository}: {credential}, from '{file.Path}'.");
                return credential;
            }
        }

        options.Report?.Invoke($"{registry}/{repository}: no credentials; {Places}.");
        return null;
    }

    private static IEnumerable<(string Path, bool MustExist)> Files(RegistryOptions options) =>
        (options.WorkingDirectory is { } folder ? options.Environment with { WorkingDirectory = folder } : options.Environment).Files();

    private async Task<RegistryCredential?> AskAsync(string helper, CredentialFile file, CancellationToken cancellation)
    {
        if (!_helped.TryGetValue(helper, out RegistryCredential? credential))
        {
            credential = await CredentialHelper.GetAsync(helper, registry, file.Path, cancellation).ConfigureAwait(false);
            _helped[helper] = credential;
        }

        return credential;
    }
}
