using System.Diagnostics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>The start of one function, from its image until it listens; and its end.</summary>
[SupportedOSPlatform("linux")]
internal sealed class OciLaunch(OciRuntimeOptions options, OciProgram program, ControlGroups groups, ControlGroupView? view, FunctionStart start, BuildWorkspace workspace, PlatformImage image)
{
    private readonly UserNamespace? _userNamespace = UserNamespace.ForCaller(isEntered: view is not null);
    private readonly string _id = $"functionbuild-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
    private HostNetwork? _hostNetwork;
    private IFunctionNetwork? _network;
    private OciContainer? _container;
    private string? _note;
    private BuildWorkspace.WorkspaceUse? _use;

    private string Folder => Path.Combine(workspace.Path, "containers", _id);

    /// <summary>Starts the function and waits until it listens. When that fails, nothing is left of it.</summary>
    public async Task<RunningFunction> RunAsync(CancellationToken cancellation)
    {
        try
        {
            if (options.HostNetwork)
            {
                _network = _hostNetwork = await HostNetwork.TakeAsync(start.Name, cancellation).ConfigureAwait(false);
            }
            else if (_userNamespace is not null)
            {
                NamespaceRelay.Check();
            }

            OciBundle bundle = await PrepareAsync(cancellation).ConfigureAwait(false);
            await StartAsync(bundle, cancellation).ConfigureAwait(false);
            return Hand(_container!, _network!);
        }
        catch
        {
            await EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Makes the root file system and all that is told to the runtime.</summary>
    private async Task<OciBundle> PrepareAsync(CancellationToken cancellation)
    {
        ImageConfig config = await ReadConfigAsync(image.Config, cancellation).ConfigureAwait(false);
        if (options.MemoryLimit is not null && !groups.Memory)
        {
            throw new FunctionBuildException(
                "MemoryLimitUnavailable",
                FaultKind.Permission,
                $"The memory of function '{start.Name}' cannot be limited: this process has no control group for memory that it may write to. Run as root where cgroups are mounted for writing, or set no limit.",
                start.Name);
        }

        var bundle = new OciBundle
        {
            Function = start.Name,
            RootPath = string.Empty,
            Config = config,
            User = new ImageUser(0, 0, [], "/"),
            UserNamespace = _userNamespace,
            Environment = start.Environment,
            HostNetwork = options.HostNetwork,
            HostsFile = Path.Combine(Folder, "hosts"),
            MemoryLimit = options.MemoryLimit,
            ProcessLimit = groups.Processes ? options.ProcessLimit : null,
        };

        // What is wrong with the config is told before anything is unpacked.
        _ = bundle.Command;
        string path = await RootFilesystem.PrepareAsync(workspace, image, cancellation).ConfigureAwait(false);
        using var root = new RootFolder(path);
        MountPoints.Make(root, start.Name);
        var user = ImageUser.Resolve(root, config.User, start.Name);
        return bundle with { RootPath = path, WorkingFolder = WorkingFolder.Resolve(root, config.WorkingDir, start.Name), User = _userNamespace?.Map(user, start.Name) ?? user };
    }

    private async Task StartAsync(OciBundle bundle, CancellationToken cancellation)
    {
        string state = Path.Combine(Folder, "state");
        Directory.CreateDirectory(state);
        await File.WriteAllBytesAsync(bundle.HostsFile, bundle.HostsText(), cancellation).ConfigureAwait(false);
        await File.WriteAllBytesAsync(Path.Combine(Folder, "config.json"), bundle.ToJson(), cancellation).ConfigureAwait(false);

        // A user namespace that the runtime makes tells it that control groups may be out of reach.
        IReadOnlyList<string> without = (_userNamespace is null or { IsEntered: true }) && !groups.CanMake ? program.WithoutControlGroups : [];
        IReadOnlyList<string> enter = view?.Command(isRoot: _userNamespace is null) ?? [];
        _container = OciContainer.Start(enter, [program.Path, "--root", state, .. without], _id, Folder);
        long begin = Stopwatch.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, options.ListenLimit);
        limit.CancelAfter(options.ListenTime);
        try
        {
            if (await _container.WaitForProcessAsync(hasNetwork: !options.HostNetwork, limit.Token).ConfigureAwait(false) is not { } process)
            {
                throw NotStarted();
            }

            _note = WorkspaceProcesses.Note(workspace.Path, _id, process);
            Connect(process);
            await WaitUntilListeningAsync(_container, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            if (_network is null && _container.ProcessId is { } hidden && Directory.Exists($"/proc/{hidden}"))
            {
                throw Failed("FunctionNetworkHidden", FaultKind.Permission, $"Function '{start.Name}' runs, but whether /proc/{hidden}/ns/net is its own network cannot be seen, so there is no way to it. Run as a user who may trace the function's process (CAP_SYS_PTRACE), or use the machine's network (-HostNetwork).");
            }

            throw Failed("FunctionNotListening", FaultKind.Connection, $"Function '{start.Name}' does not listen for gRPC on port {FunctionPort.Number} after {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.#} seconds. Give it more time, or see what it waits for.");
        }
    }

    private void Connect(int process)
    {
        if (_network is not null)
        {
            return;
        }

        try
        {
            _network = _userNamespace is null ? new NetworkNamespace(process) : new NamespaceRelay(process);
        }
        catch (IOException)
        {
            // The process has ended, which its exit tells; it may not be collected yet. Other failures go on.
            if (new FileInfo($"/proc/{process}/ns/net").LinkTarget is not null)
            {
                throw;
            }
        }
    }

    private async Task WaitUntilListeningAsync(OciContainer container, CancellationToken cancellation)
    {
        using var probing = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task ready = _network is null ? Task.Delay(Timeout.Infinite, probing.Token) : ReadinessProbe.WaitAsync(_network.ConnectAsync, probing.Token);
        Task first = await Task.WhenAny(ready, container.Exit).ConfigureAwait(false);
        await probing.CancelAsync().ConfigureAwait(false);
        if (first == ready)
        {
            await ready.ConfigureAwait(false);
            return;
        }

        await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        int code = await container.Exit.ConfigureAwait(false);
        throw program.CouldNotStart(code, container.Log.ToString()) ? NotStarted() : Failed("FunctionExited", FaultKind.InvalidOperation, $"Function '{start.Name}' ended with exit code {code} before it listened on port {FunctionPort.Number}.");
    }

    /// <summary>Hands the function over. From now on it is ended by who has it, or with its workspace.</summary>
    private RunningContainer Hand(OciContainer container, IFunctionNetwork network)
    {
        _use = workspace.Use(CancellationToken.None);
        var running = new RunningContainer(start.Name, program, container, network, EndAsync);
        _use.Token.Register(() => _ = running.DisposeAsync().AsTask());
        return running;
    }

    private async Task EndAsync()
    {
        if (_container is not null)
        {
            await _container.DisposeAsync().ConfigureAwait(false);
        }

        _network?.Dispose();
        _hostNetwork?.Dispose();
        try
        {
            FolderRemoval.Remove(Folder);
            if (_note is not null)
            {
                File.Delete(_note);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It goes with the workspace.
        }

        _use?.Dispose();
    }

    private FunctionBuildException NotStarted()
    {
        string advice = _userNamespace is not null && program.NeedsControlGroups
            ? $" {program.Name} puts every container into a control group, which only root can make unless one is delegated to this user. If that is the cause, use runc or crun, or run as root."
            : string.Empty;
        return Failed("ContainerNotStarted", FaultKind.InvalidOperation, $"'{program.Path}' cannot start function '{start.Name}'.{advice}");
    }

    private FunctionBuildException Failed(string errorId, FaultKind kind, string problem) =>
        new(errorId, kind, $"{problem} {LogEnd.Describe(_container!.Log.ToString())}", start.Name);

    private static async Task<ImageConfig> ReadConfigAsync(Blob blob, CancellationToken cancellation)
    {
        using var json = new MemoryStream();
        Stream source = blob.OpenRead();
        await using (source.ConfigureAwait(false))
        {
            await source.CopyToAsync(json, cancellation).ConfigureAwait(false);
        }

        return ImageConfig.Parse(json.ToArray());
    }
}
