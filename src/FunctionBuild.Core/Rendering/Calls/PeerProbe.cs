using System.Net.Sockets;
using System.Text;
using FunctionBuild.Core.Runtimes;

namespace FunctionBuild.Core.Rendering.Calls;

/// <summary>
/// Finds out who it is that a call failed with. The HTTP client only says that the handshake was not completed, be it
/// that nobody is there or that somebody speaks something else.
/// </summary>
internal static class PeerProbe
{
    private const int FrameHeaderLength = 9;
    private const int FrameTypeOffset = 3;
    private const byte SettingsFrame = 4;
    private const byte TlsAlert = 0x15;
    private const byte TlsMajorVersion = 3;

    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);

    private static ReadOnlySpan<byte> PrefaceAndSettings => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8;

    /// <summary>Says what a function's port answers to an HTTP/2 client, when that is not HTTP/2; null when it is, or there is no answer.</summary>
    public static async Task<string?> ForeignAnswerAsync(RunningFunction function, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerTime);
        byte[] answer = new byte[FrameHeaderLength];
        try
        {
            Stream stream = await function.ConnectAsync(limit.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await stream.WriteAsync(PrefaceAndSettings.ToArray(), limit.Token).ConfigureAwait(false);
                int length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, limit.Token).ConfigureAwait(false);
                return Describe(answer.AsSpan(0, length));
            }
        }
        catch (Exception e) when (e is IOException or SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    private static string? Describe(ReadOnlySpan<byte> answer)
    {
        if (answer.IsEmpty || (answer.Length == FrameHeaderLength && answer[FrameTypeOffset] == SettingsFrame))
        {
            return null;
        }

        if (answer is [TlsAlert, TlsMajorVersion, ..])
        {
            return "TLS";
        }

        bool isText = !answer.ContainsAnyExceptInRange((byte)' ', (byte)'~');
        return isText ? $"'{Encoding.ASCII.GetString(answer)}…'" : $"the bytes {Convert.ToHexStringLower(answer)}";
    }
}
