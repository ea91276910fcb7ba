namespace FunctionBuild.Core.Registry;

/// <summary>How function images are pushed.</summary>
public sealed record PushOptions
{
    /// <summary>How registries are reached.</summary>
    public RegistryOptions Registry { get; init; } = new();

    /// <summary>How many requests run at a time.</summary>
    public int ThrottleLimit { get; init; } = 8;
}
