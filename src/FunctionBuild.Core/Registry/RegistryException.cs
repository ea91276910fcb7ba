using System.Net;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// A registry, or what stands in front of it, that cannot be reached, refuses, or answers what it should not.
/// </summary>
public sealed class RegistryException : FunctionBuildException
{
    /// <summary>Creates an error.</summary>
    /// <param name="errorId">A stable id for scripts.</param>
    /// <param name="kind">The kind of fault.</param>
    /// <param name="message">What is wrong, and what to do.</param>
    /// <param name="registry">Host and port of the registry.</param>
    /// <param name="innerException">The cause.</param>
    public RegistryException(string errorId, FaultKind kind, string message, string registry, Exception? innerException = null)
        : base(errorId, kind, message, registry, innerException) => Registry = registry;

    /// <summary>Host and port of the registry.</summary>
    public string Registry { get; }

    /// <summary>The HTTP status; null when no answer came.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>The code that the registry gave (OCI distribution spec, "Error Codes"); null when it gave none.</summary>
    public string? Code { get; init; }

    /// <summary>Whether the same request may well succeed later.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>How long the registry asks to wait; null when it does not say.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether this is about the registry as a whole, so that other requests will fare no better.</summary>
    internal bool IsOutage => IsTransient && (Status is null
        ? Kind == FaultKind.Connection
        : Status is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout);

    /// <summary>The same error after it was tried again in vain.</summary>
    internal RegistryException AfterAttempts(int attempts) => Copy($"{Message} Tried {attempts} times.", isTransient: IsTransient);

    /// <summary>The same error, where going on in another way is worth it.</summary>
    internal RegistryException Recoverable() => Copy(Message, isTransient: true, TimeSpan.Zero);

    private RegistryException Copy(string message, bool isTransient, TimeSpan? retryAfter = null) => new(ErrorId, Kind, message, Registry, this)
    {
        Status = Status,
        Code = Code,
        IsTransient = isTransient,
        RetryAfter = retryAfter ?? RetryAfter,
    };
}
