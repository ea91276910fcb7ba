using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// Sends a request and reads the answer: follows redirects, shows credentials to nobody but the origin that they are
/// for, gives up connections that do not move, and makes typed errors of failures.
/// </summary>
internal sealed class HttpExchange : IDisposable
{
    private const int MaximumRedirects = 5;
    private const int MaximumBodyLength = 256 * 1024;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);
    private static readonly ProductInfoHeaderValue Product = new("FunctionBuild", typeof(HttpExchange).Assembly.GetCustomAttribute<AssemblyFileVersionAttribute>()?.Version);

    private readonly HttpClient _http;
    private readonly RegistryOptions _options;
    private readonly CertificateTrust _trust;

    public HttpExchange(RegistryOptions options)
    {
        _options = options;
        _trust = new CertificateTrust(options);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            Proxy = new LoopbackBypass(HttpClient.DefaultProxy),
            UseCookies = false,
        };
        handler.SslOptions.RemoteCertificateValidationCallback = _trust.Check;
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(Product);
    }

    /// <summary>What must not be printed.</summary>
    public SecretFilter Secrets { get; } = new();

    /// <summary>Sends a request once; the answer, whatever its status.</summary>
    /// <param name="request">The request.</param>
    /// <param name="authorization">What to show; null for nothing.</param>
    /// <param name="authorized">The only origin that it is shown to.</param>
    /// <param name="cancellation">Stops at once.</param>
    /// <exception cref="RegistryException">No answer came, or a redirect leads nowhere.</exception>
    public async Task<RegistryAnswer> SendAsync(RegistryRequest request, AuthenticationHeaderValue? authorization, Uri authorized, CancellationToken cancellation)
    {
        Uri uri = request.Uri;
        for (int hops = 0; ; hops++)
        {
            CheckScheme(uri);
            RegistryAnswer answer = await SendAsync(request, uri, IsSameOrigin(uri, authorized) ? authorization : null, cancellation).ConfigureAwait(false);
            if (!IsRedirect(request.Method, answer.Status) || answer.Location is not { } target)
            {
                return answer;
            }

            if (hops == MaximumRedirects)
            {
                throw RegistryErrors.Malformed(request.Uri.Authority, request.What, $"it redirected {MaximumRedirects + 1} times");
            }

            uri = target;
        }
    }

    /// <summary>Whether two addresses have scheme, host and port in common.</summary>
    public static bool IsSameOrigin(Uri one, Uri other) =>
        Uri.Compare(one, other, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;

    /// <summary>Whether an address is on this machine.</summary>
    public static bool IsLoopback(Uri uri) =>
        uri.IsLoopback || (IPAddress.TryParse(uri.DnsSafeHost, out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static bool IsRedirect(HttpMethod method, HttpStatusCode status) => status switch
    {
        HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect => true,
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther => method == HttpMethod.Get || method == HttpMethod.Head,
        _ => false,
    };

    private void CheckScheme(Uri uri)
    {
        if (uri.Scheme != Uri.UriSchemeHttps && !(uri.Scheme == Uri.UriSchemeHttp && (_options.AllowInsecure || IsLoopback(uri))))
        {
            throw new RegistryException(
                "InsecureRegistry",
                FaultKind.Connection,
                $"{uri.Authority} would be reached without TLS ({uri.Scheme}). A registry behind a proxy must be told that it is reached by https; -AllowInsecure permits plain HTTP.",
                uri.Authority);
        }
    }

    private async Task<RegistryAnswer> SendAsync(RegistryRequest request, Uri uri, AuthenticationHeaderValue? authorization, CancellationToken cancellation)
    {
        using var watchdog = new Watchdog(_options, cancellation);
        using HttpRequestMessage message = request.ToMessage(uri, watchdog);
        message.Headers.Authorization = authorization;
        var blob = message.Content as BlobContent;
        Exception? failure = null;
        RegistryAnswer? answer = null;
        try
        {
            if (blob is null)
            {
                watchdog.Sent();
            }
            else
            {
                watchdog.Moved();
            }

            using HttpResponseMessage response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, watchdog.Token).ConfigureAwait(false);
            byte[] body = request.Method == HttpMethod.Head ? [] : await ReadBodyAsync(response.Content, watchdog.Token).ConfigureAwait(false);
            answer = new RegistryAnswer(response.StatusCode, uri, response.Headers, response.Content.Headers.ContentLength, body);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or FunctionBuildException)
        {
            failure = e;
        }

        watchdog.Stop();
        if (blob is not null)
        {
            // A blob that cannot be read explains a request that broke off.
            await blob.FinishAsync().ConfigureAwait(false);
        }

        cancellation.ThrowIfCancellationRequested();
        if (failure is FunctionBuildException)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return answer ?? throw RegistryErrors.OfFailure(uri.Authority, request.What, failure!, _trust);
    }

    private static async Task<byte[]> ReadBodyAsync(HttpContent content, CancellationToken cancellation)
    {
        using Stream stream = await content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        byte[] buffer = new byte[Math.Clamp(content.Headers.ContentLength ?? 4096, 0, MaximumBodyLength)];
        int length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        return length == buffer.Length ? buffer : buffer[..length];
    }
}
