using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// Runs functions with <c>runc</c>, <c>crun</c> or <c>youki</c>, without a daemon: the image is unpacked in its workspace,
/// once, and each function has a container with a network of its own. Works as root and, in a user namespace, for others.
/// </summary>
/// <param name="options">How functions are run.</param>
public sealed class OciRuntime(OciRuntimeOptions options) : IFunctionRuntime
{
    /// <summary>Makes sure that there is a runtime.</summary>
    /// <param name="options">How functions are run.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>OciRuntimeMissing</c>.</exception>
    public static OciRuntime Find(OciRuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        OciProgram.Find(options.Runtime);
        return new OciRuntime(options);
    }

    /// <inheritdoc/>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>OciRuntimeMissing</c>, <c>FunctionImageMissing</c>, <c>ImageForAnotherPlatform</c>,
    /// <c>ImageWithoutEntrypoint</c>, <c>ImageUserUnknown</c>, <c>ImageUserUnavailable</c>, <c>MountPointUnsafe</c>,
    /// <c>FunctionNetworkHidden</c>, <c>WorkingFolderUnsafe</c>, <c>MemoryLimitUnavailable</c>,
    /// <c>NamespaceToolMissing</c>, <c>HostPortInUse</c>, <c>RootFilesystemUnsafe</c>, <c>LayerUnreadable</c>,
    /// <c>RootFilesystemFailed</c>, <c>ContainerNotStarted</c>, <c>FunctionExited</c>, <c>FunctionNotListening</c> or
    /// <c>WorkspaceRemoved</c>. Nothing of the function is left.
    /// </exception>
    public async Task<RunningFunction> StartAsync(FunctionStart start, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(start);
        var program = OciProgram.Find(options.Runtime);
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException();
        }

        FunctionImage function = start.Image ?? throw new FunctionBuildException(
            "FunctionImageMissing",
            FaultKind.InvalidArgument,
            $"Function '{start.Name}' is not among the images that were built. An OCI runtime runs images of the workspace only: import and build it, or use a Docker-compatible engine, which can pull '{start.Reference ?? start.Name}'.",
            start.Name);
        PlatformImage image = ImageChoice.Choose(function, MachinePlatform.Platform, "this machine", ", or use an engine that runs other platforms");
        BuildWorkspace workspace = function.Workspace;
        using BuildWorkspace.WorkspaceUse use = workspace.Use(cancellation);
        try
        {
            var groups = ControlGroups.Detect(Posix.UserId == 0);
            var view = ControlGroupView.For(program, groups);
            options.Report?.Invoke($"{start.Name}: {program.Path} runs its image for {image.Platform}{view?.Describe(program)}.");
            var launch = new OciLaunch(options, program, groups, view, start, workspace, image);
            return await launch.RunAsync(use.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The workspace went away meanwhile.
            workspace.ThrowIfRemoved();
            throw;
        }
    }
}
