using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// A container and its supervisor: a shell that runs it and, when its standard input ends, deletes it. That happens when
/// the container is disposed of here, and also when this process dies in whatever way.
/// </summary>
internal sealed class OciContainer : IAsyncDisposable
{
    // Its own signals are ignored: a terminal sends Ctrl+C to all that run in it, and this must still clean up.
    // What is ignored here is ignored by what takes its place.
    private const string Entrance = """
        trap '' HUP INT QUIT TERM
        exec "$@" 2>&1
        """;

    // Deleting is repeated, because it may come before the runtime has made what is to be deleted.
    private const string Supervisor = """
        exec 3<&0 </dev/null
        bundle=$1
        id=$2
        shift 2
        "$@" run --bundle "$bundle" --pid-file "$bundle/pid" "$id" 3<&- &
        run=$!
        exec >/dev/null 2>&1
        {
            while read -r line; do :; done
            while kill -0 "$run"; do
                "$@" delete --force "$id"
                sleep 0.05 || sleep 1
            done
        } <&3 3<&- &
        guard=$!
        exec 3<&-
        wait "$run"
        code=$?
        wait "$guard"
        "$@" delete --force "$id"
        exit "$code"
        """;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(20);

    private readonly Process _supervisor;
    private readonly string _bundle;

    private OciContainer(Process supervisor, string id, string bundle)
    {
        _supervisor = supervisor;
        _bundle = bundle;
        Id = id;
        Exit = FollowAsync();
    }

    /// <summary>The container's id.</summary>
    public string Id { get; }

    /// <summary>The end of what the container and the runtime wrote.</summary>
    public LogTail Log { get; } = new();

    /// <summary>Completes with the exit code when the container has ended and is deleted.</summary>
    public Task<int> Exit { get; }

    /// <summary>Starts a container.</summary>
    /// <param name="enter">A command that runs the supervisor where it has to be; empty when that is here.</param>
    /// <param name="command">The runtime's program and the arguments that every command of it takes.</param>
    /// <param name="id">The container's id, unique on the machine.</param>
    /// <param name="bundle">The bundle's folder; it also takes the process id.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>ContainerNotStarted</c>.</exception>
    public static OciContainer Start(IReadOnlyList<string> enter, IReadOnlyList<string> command, string id, string bundle)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Entrance, "sh", .. enter, "/bin/sh", "-c", Supervisor, "sh", bundle, id, .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = false,
            WorkingDirectory = bundle,
        };
        try
        {
            return new OciContainer(Process.Start(start)!, id, bundle);
        }
        catch (Win32Exception e)
        {
            throw new FunctionBuildException("ContainerNotStarted", FaultKind.InvalidOperation, $"The shell that supervises a container cannot be started: {e.Message}", id, e);
        }
    }

    /// <summary>The container's process, as far as the runtime has told it.</summary>
    public int? ProcessId { get; private set; }

    /// <summary>Waits until the container's process runs.</summary>
    /// <param name="hasNetwork">Whether it gets a network of its own. Not every runtime waits for that before it tells the process.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Its id; null when the container has ended before that was told.</returns>
    public async Task<int?> WaitForProcessAsync(bool hasNetwork, CancellationToken cancellation)
    {
        string path = Path.Combine(_bundle, "pid");
        while (true)
        {
            bool ended = Exit.IsCompleted;
            if (File.Exists(path) && int.TryParse(await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            {
                ProcessId = id;
                if (ended || !hasNetwork || IsElsewhere(id))
                {
                    return id;
                }
            }

            if (ended)
            {
                return null;
            }

            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the container and deletes it. Never throws.</summary>
    public async ValueTask DisposeAsync()
    {
        CloseInput();
        try
        {
            await Exit.WaitAsync(EndTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _supervisor.Kill(entireProcessTree: true);
            await ((Task)Exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _supervisor.Dispose();
    }

    private static bool IsElsewhere(int process) =>
        new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/ns/net")).LinkTarget is { } network
        && network != new FileInfo("/proc/self/ns/net").LinkTarget;

    private async Task<int> FollowAsync()
    {
        // The container's end is the end of its output: the runtime holds it open meanwhile.
        byte[] buffer = new byte[8192];
        int read;
        while ((read = await _supervisor.StandardOutput.BaseStream.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            Log.Append(buffer.AsSpan(0, read));
        }

        CloseInput();
        await _supervisor.WaitForExitAsync().ConfigureAwait(false);
        return _supervisor.ExitCode;
    }

    private void CloseInput()
    {
        try
        {
            _supervisor.StandardInput.Close();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // Closed already.
        }
    }
}
