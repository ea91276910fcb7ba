namespace FunctionBuild.Core.Runtimes;

/// <summary>
/// Tells whether something that speaks HTTP/2 listens: it answers the connection preface with its settings (RFC 9113,
/// 3.4). An accepted connection says less, since a published port may accept before its container listens.
/// </summary>
internal static class ReadinessProbe
{
    private const int FrameHeaderLength = 9;
    private const byte SettingsFrame = 4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Waits until the port answers; ends only with an answer, or by cancellation.</summary>
    /// <param name="connect">Opens a connection; an <see cref="IOException"/> says that nothing listens yet.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public static async Task WaitAsync(Func<CancellationToken, ValueTask<Stream>> connect, CancellationToken cancellation)
    {
        while (!await AnswersAsync(connect, cancellation).ConfigureAwait(false))
        {
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<bool> AnswersAsync(Func<CancellationToken, ValueTask<Stream>> connect, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerTime);
        try
        {
            Stream stream = await connect(limit.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                // The preface is followed by our own settings, none.
                byte[] hello = [.. Preface, 0, 0, 0, SettingsFrame, 0, 0, 0, 0, 0];
                await stream.WriteAsync(hello, limit.Token).ConfigureAwait(false);
                byte[] header = new byte[FrameHeaderLength];
                await stream.ReadExactlyAsync(header, limit.Token).ConfigureAwait(false);
                return header[3] == SettingsFrame;
            }
        }
        catch (IOException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}
