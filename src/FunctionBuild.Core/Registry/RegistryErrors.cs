using System.Net;
using System.Security.Authentication;
using System.Text.Json;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>Makes errors of what registries answer, and of what keeps them from answering.</summary>
internal static class RegistryErrors
{
    private const int MaximumTextLength = 500;

    /// <summary>The error of an answer that was not one of those expected.</summary>
    /// <param name="registry">Host and port of the registry.</param>
    /// <param name="what">What was asked for, such as "PUT manifest of acme/a:v1".</param>
    /// <param name="answer">The answer.</param>
    /// <param name="longestWait">The longest time that is worth waiting for a retry.</param>
    /// <param name="secrets">Keeps secrets that the registry repeats out of the message.</param>
    /// <param name="explanation">What else is known of the reason; null for nothing.</param>
    public static RegistryException OfAnswer(string registry, string what, RegistryAnswer answer, TimeSpan longestWait, SecretFilter secrets, string? explanation = null)
    {
        (string? code, string? text) = ReadBody(answer.Body);
        (string errorId, FaultKind kind, string advice) = Classify(code, answer.Status);
        bool transient = answer.Status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
            || ((int)answer.Status >= 500 && answer.Status is not (HttpStatusCode.NotImplemented or HttpStatusCode.HttpVersionNotSupported));
        TimeSpan? wait = transient ? answer.RetryAfter : null;
        if (wait > longestWait)
        {
            transient = false;
            advice = $"It asks to wait {wait.Value.TotalSeconds:N0} seconds, which is too long to wait here. Push again then.";
        }

        string said = Printable(secrets.Clean(string.Join(": ", new[] { code, text }.Where(t => !string.IsNullOrWhiteSpace(t)))));
        return new RegistryException(
            errorId,
            kind,
            $"{registry} refused {what} with {(int)answer.Status} ({answer.Status}){(said.Length == 0 ? string.Empty : $", {said}")}. {advice}{(explanation is null ? string.Empty : $" {explanation}")}",
            registry)
        {
            Status = answer.Status,
            Code = code is null ? null : Printable(code),
            IsTransient = transient,
            RetryAfter = wait,
        };
    }

    /// <summary>The error of a request that got no answer.</summary>
    public static RegistryException OfFailure(string registry, string what, Exception cause, CertificateTrust trust)
    {
        if (cause is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError })
        {
            return trust.RefusalOf(registry) is { } refusal
                ? new RegistryException("RegistryCertificateInvalid", FaultKind.Authentication, $"The certificate of {registry} is not trusted: {refusal}. Name its authority with -CertificateAuthority, or add it to the system's.", registry, cause)
                : new RegistryException("RegistryTlsFailed", FaultKind.Connection, $"{what} failed: {registry} does not speak TLS as expected: {Innermost(cause)} -AllowInsecure permits plain HTTP.", registry, cause) { IsTransient = cause.InnerException is not AuthenticationException };
        }

        string reason = cause is OperationCanceledException ? "no byte moved for too long." : Innermost(cause);
        return new RegistryException(
            "RegistryUnavailable",
            FaultKind.Connection,
            $"{what} failed: {registry} cannot be reached, or broke off: {reason} Check the name, the network and the proxy settings.",
            registry,
            cause)
        {
            IsTransient = cause is not HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError },
        };
    }

    /// <summary>An answer that the distribution spec does not allow.</summary>
    public static RegistryException Malformed(string registry, string what, string problem) => new(
        "RegistryMalformedAnswer",
        FaultKind.InvalidData,
        $"{registry} answered {what} in a way that the distribution spec does not allow: {problem}. Check what stands between here and the registry.",
        registry);

    /// <summary>A registry that names another digest than the content has.</summary>
    public static RegistryException DigestMismatch(string registry, string what, Digest expected, string told) => new(
        "RegistryDigestMismatch",
        FaultKind.InvalidData,
        $"{registry} answered {what} with the digest '{Printable(told)}', but the content's is {expected}. What the registry keeps is not what was built; nothing was tagged.",
        registry);

    /// <summary>Text from elsewhere, short and without control characters.</summary>
    public static string Printable(string text)
    {
        string clean = new([.. text.Trim().Select(c => char.IsControl(c) ? ' ' : c)]);
        return clean.Length > MaximumTextLength ? clean[..MaximumTextLength] + "..." : clean;
    }

    private static string Innermost(Exception cause)
    {
        string text = Printable(cause.GetBaseException().Message);
        return text.EndsWith('.') ? text : text + ".";
    }

    private static (string? Code, string? Text) ReadBody(byte[] body)
    {
        if (body.Length == 0)
        {
            return (null, null);
        }

        try
        {
            using JsonDocument document = OciJson.ParseObject(body);
            if (!document.RootElement.TryGetProperty("errors", out JsonElement errors) || errors.ValueKind != JsonValueKind.Array || errors.GetArrayLength() == 0)
            {
                return (null, OciJson.OptionalString(document.RootElement, "message"));
            }

            JsonElement first = errors[0];
            return first.ValueKind == JsonValueKind.Object
                ? (OciJson.OptionalString(first, "code"), OciJson.OptionalString(first, "message"))
                : (null, null);
        }
        catch (FormatException)
        {
            // Not from the registry but from a proxy before it, which explains itself to browsers; the status says enough.
            return (null, null);
        }
    }

    private static (string ErrorId, FaultKind Kind, string Advice) Classify(string? code, HttpStatusCode status) => code switch
    {
        "UNAUTHORIZED" => Unauthorized,
        "DENIED" => Denied,
        "NAME_UNKNOWN" => NameUnknown,
        "NAME_INVALID" => ("RegistryNameInvalid", FaultKind.InvalidArgument, "Choose a repository name that the registry takes."),
        "MANIFEST_INVALID" or "MANIFEST_UNVERIFIED" or "MANIFEST_BLOB_UNKNOWN" or "MANIFEST_UNKNOWN" =>
            ("ManifestRejected", FaultKind.InvalidData, "If the registry does not take these media types, build with -MediaType Oci, or with Docker's; if it lost a blob, push again."),
        "BLOB_UNKNOWN" or "BLOB_UPLOAD_INVALID" or "BLOB_UPLOAD_UNKNOWN" or "DIGEST_INVALID" or "SIZE_INVALID" =>
            ("BlobRejected", FaultKind.InvalidData, "Push again; if it stays so, something between here and the registry changes or loses what is sent."),
        "TAG_INVALID" => ("TagRejected", FaultKind.InvalidArgument, "Choose another tag: the registry does not take this one, or does not let it be moved."),
        "TOOMANYREQUESTS" => Throttled,
        "UNSUPPORTED" => Unsupported,
        _ => status switch
        {
            HttpStatusCode.Unauthorized => Unauthorized,
            HttpStatusCode.Forbidden => Denied,
            HttpStatusCode.NotFound => NameUnknown,
            HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => Unsupported,
            HttpStatusCode.RequestEntityTooLarge => ("BlobTooLarge", FaultKind.LimitExceeded, "The registry, or a proxy before it, takes no bodies of this size; its limit must be raised."),
            HttpStatusCode.TooManyRequests => Throttled,
            HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError => ("RegistryUnavailable", FaultKind.Connection, "The registry fails at present. Push again later; what it has already is not sent again."),
            _ => ("RegistryRequestFailed", FaultKind.Connection, "The registry's own log may tell more."),
        },
    };

    private static (string ErrorId, FaultKind Kind, string Advice) Unauthorized { get; } =
        ("RegistryUnauthorized", FaultKind.Authentication, "Log in with docker login or podman login, or give -Credential.");

    private static (string ErrorId, FaultKind Kind, string Advice) Denied { get; } =
        ("RegistryDenied", FaultKind.Permission, "The credentials are known but may not do this; ask for the right to push to this repository.");

    private static (string ErrorId, FaultKind Kind, string Advice) NameUnknown { get; } =
        ("RegistryNameUnknown", FaultKind.NotFound, "Check the repository's name; some registries want it created before the first push.");

    private static (string ErrorId, FaultKind Kind, string Advice) Throttled { get; } =
        ("RegistryThrottled", FaultKind.LimitExceeded, "Push again later, or with a lower -ThrottleLimit.");

    private static (string ErrorId, FaultKind Kind, string Advice) Unsupported { get; } =
        ("RegistryUnsupported", FaultKind.InvalidOperation, "The registry does not offer this; it may be read-only, or a mirror.");
}
