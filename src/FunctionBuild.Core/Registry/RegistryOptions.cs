using System.Security.Cryptography.X509Certificates;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Registry;

/// <summary>How registries are reached.</summary>
public sealed record RegistryOptions
{
    /// <summary>Who asks; looked up in the files of Docker and podman when null.</summary>
    public RegistryCredential? Credential { get; init; }

    /// <summary>Plain HTTP to hosts other than this machine, where they do not offer TLS.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>Take any certificate.</summary>
    public bool SkipCertificateCheck { get; init; }

    /// <summary>Certificate authorities to trust beside the system's.</summary>
    public X509Certificate2Collection CertificateAuthorities { get; init; } = [];

    /// <summary>How often a request is tried again after a failure that may pass.</summary>
    public int MaximumRetries { get; init; } = 6;

    /// <summary>The wait before the first retry; it doubles each time, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest wait between two attempts, also when the registry asks for a longer one: then the request fails.</summary>
    public TimeSpan MaximumRetryDelay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A connection that takes no byte for this long is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long an answer may take once everything was sent.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>Blobs of more bytes than this are sent in chunks.</summary>
    public long ChunkThreshold { get; init; } = 64L * 1024 * 1024;

    /// <summary>The size of a chunk in bytes.</summary>
    public long ChunkSize { get; init; } = 32L * 1024 * 1024;

    /// <summary>The folder to which relative paths in environment variables refer; the process's own when null.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Told what is decided and tried again, in sentences without secrets, from several threads; may be null.</summary>
    public Action<string>? Report { get; init; }

    /// <summary>Where credentials are looked up.</summary>
    internal CredentialEnvironment Environment { get; init; } = CredentialEnvironment.OfProcess;

    /// <summary>The clock by which tokens expire.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;
}
