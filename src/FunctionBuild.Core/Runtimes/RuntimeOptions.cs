using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Runtimes;

/// <summary>What all runtimes are told.</summary>
public record RuntimeOptions
{
    /// <summary>How long a started function may take until it listens.</summary>
    public TimeSpan ListenTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Ends the wait for functions to listen, also before <see cref="ListenTime"/> is over.</summary>
    internal CancellationToken ListenLimit { get; init; }

    /// <summary>Told what is decided, in sentences without secrets, from several threads; may be null.</summary>
    public Action<string>? Report { get; init; }

    /// <summary>Where engines, contexts and credentials are looked up.</summary>
    internal CredentialEnvironment Environment { get; init; } = CredentialEnvironment.OfProcess;

    /// <summary>Told of the layers' bytes that an engine takes in; may be null.</summary>
    internal Action<int>? OnLoaded { get; init; }
}
