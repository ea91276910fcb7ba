using System.Runtime.InteropServices;

namespace FunctionBuild.Host;

/// <summary>
/// Turns Ctrl+C and requests to terminate into an orderly stop of the running pipeline. A second one while the first
/// takes effect, or one when nothing runs, ends the process at once; so does a request to terminate that a command, or a
/// program it waits for, does not heed for some seconds.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan TerminationGrace = TimeSpan.FromSeconds(5);

    private readonly Session _session;
    private readonly bool _returnsToPrompt;
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Starts to listen.</summary>
    /// <param name="session">What to stop.</param>
    /// <param name="returnsToPrompt">Whether Ctrl+C stops only the pipeline, not the session.</param>
    public StopSignals(Session session, bool returnsToPrompt)
    {
        _session = session;
        _returnsToPrompt = returnsToPrompt;
        _registrations = [On(PosixSignal.SIGINT, 2), On(PosixSignal.SIGTERM, 15), On(PosixSignal.SIGHUP, 1)];
    }

    /// <summary>The exit code that the signal asks for, once one has come that ends the session.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private PosixSignalRegistration On(PosixSignal signal, int number) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        int exitCode = Host.ExitCode.SignalBase + number;
        bool terminates = signal != PosixSignal.SIGINT;
        if (terminates || !_returnsToPrompt)
        {
            ExitCode = exitCode;
        }

        if (_session.Stop() != StopResult.Stopping)
        {
            Environment.Exit(exitCode);
        }

        if (terminates)
        {
            Task.Delay(TerminationGrace).ContinueWith(_ => Environment.Exit(exitCode), TaskScheduler.Default);
        }
    });
}
