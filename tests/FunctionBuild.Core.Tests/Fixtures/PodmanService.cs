using System.Diagnostics;
using Docker.DotNet;
using Docker.DotNet.Models;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>
/// Podman's service with storage of its own, started when a test first asks for it; or the engine that
/// <c>FUNCTIONBUILD_TEST_DOCKER_HOST</c> names, such as <c>unix:///run/docker.sock</c>, which must hold nothing,
/// and loses what anybody puts there meanwhile. Tests that use it are in one collection, because they look at what is left
/// in it, and call <see cref="EndTestAsync"/> at their end.
/// </summary>
public sealed class PodmanService : IAsyncDisposable
{
    public const string Collection = "Podman's service";

    private const int Attempts = 300;
    private const int ClearAttempts = 20;
    private static readonly string? GivenAddress = System.Environment.GetEnvironmentVariable("FUNCTIONBUILD_TEST_DOCKER_HOST") is { Length: > 0 } address ? address : null;

    private readonly TestFolder _folder = new();
    private readonly SemaphoreSlim _gate = new(1, 1);
    private Process? _service;
    private DockerClient? _client;

    /// <summary>An environment that names the service.</summary>
    internal CredentialEnvironment Environment => new(v => v == "DOCKER_HOST" ? Address : null, _folder.Path);

    /// <summary>The service's address, for <c>DOCKER_HOST</c>.</summary>
    public string Address => GivenAddress ?? $"unix://{Socket}";

    /// <summary>A network that the engine has from the beginning.</summary>
    public string Network => GivenAddress is null ? "podman" : "bridge";

    /// <summary>A client of the service.</summary>
    public DockerClient Client => _client ?? throw new InvalidOperationException("The service was not started.");

    private string Socket => _folder.Combine("podman.sock");

    /// <summary>Starts the service; skips the test where podman is missing or cannot run.</summary>
    public async Task StartAsync()
    {
        await _gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_client is not null)
            {
                return;
            }

            if (GivenAddress is null)
            {
                await StartPodmanAsync();
            }

            DockerClient client = new DockerClientBuilder().WithEndpoint(new Uri(Address)).Build();
            await client.System.PingAsync(TestContext.Current.CancellationToken);

            // What is there before the first test is somebody's, and would be removed after it.
            Assert.Empty(await ListAsync(client));
            _client = client;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// What the service holds: containers, images and volumes, by name. Not to be asked while an image is loaded or removed:
    /// Podman refuses to list images one of which has no manifest yet.
    /// </summary>
    public Task<IReadOnlyList<string>> ListAsync() => ListAsync(Client);

    /// <summary>The service's containers, by name; also while images come and go.</summary>
    public async Task<IReadOnlyList<string>> ListContainersAsync() => [.. (await ContainersAsync(Client)).Select(Describe)];

    /// <summary>
    /// Removes what a test left in the service, so that the next one finds nothing, and fails the test that left it. Does
    /// nothing when the service was not started.
    /// </summary>
    public async Task EndTestAsync()
    {
        if (_client is not { } client)
        {
            return;
        }

        IReadOnlyList<string>? left = null;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                IReadOnlyList<string> now = await ListAsync(client);
                left ??= now;
                if (now.Count == 0)
                {
                    break;
                }

                await RemoveAllAsync(client);
            }
            catch (DockerApiException) when (attempt < ClearAttempts)
            {
                // The test's own requests may still go on.
            }

            Assert.True(attempt < ClearAttempts, $"The engine keeps what a test left in it: {string.Join(", ", left ?? [])}");
            await Task.Delay(100, CancellationToken.None);
        }

        Assert.True(left.Count == 0, $"The test left in the engine: {string.Join(", ", left)}");
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_service is not null)
        {
            await RunAsync(StartPodman("rm", "--all", "--force", "--time=0"));
            _service.Kill();
            await _service.WaitForExitAsync(CancellationToken.None);
            _service.Dispose();

            // Podman leaves its storage mounted on itself.
            await RunAsync(ExternalTool.Start("umount", "--lazy", _folder.Combine("root/overlay")));
        }

        _gate.Dispose();
        _folder.Dispose();
    }

    private static async Task<IReadOnlyList<string>> ListAsync(DockerClient client)
    {
        IList<ContainerListResponse> containers = await ContainersAsync(client);
        IList<ImagesListResponse> images = await ImagesAsync(client);
        VolumesListResponse volumes = await client.Volumes.ListAsync(CancellationToken.None);
        return
        [
            .. containers.Select(Describe),
            .. images.Select(i => $"image {string.Join(' ', i.RepoTags ?? [])} {i.ID}"),
            .. (volumes.Volumes ?? []).Select(v => $"volume {v.Name}"),
        ];
    }

    private static async Task RemoveAllAsync(DockerClient client)
    {
        foreach (ContainerListResponse container in await ContainersAsync(client))
        {
            await client.Containers.RemoveContainerAsync(container.ID, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, CancellationToken.None);
        }

        foreach (ImagesListResponse image in await ImagesAsync(client))
        {
            await client.Images.DeleteImageAsync(image.ID, new ImageDeleteParameters { Force = true }, CancellationToken.None);
        }

        foreach (VolumeResponse volume in (await client.Volumes.ListAsync(CancellationToken.None)).Volumes ?? [])
        {
            await client.Volumes.RemoveAsync(volume.Name, force: true, CancellationToken.None);
        }
    }

    private static Task<IList<ContainerListResponse>> ContainersAsync(DockerClient client) =>
        client.Containers.ListContainersAsync(new ContainersListParameters { All = true }, CancellationToken.None);

    private static Task<IList<ImagesListResponse>> ImagesAsync(DockerClient client) =>
        client.Images.ListImagesAsync(new ImagesListParameters { All = true }, CancellationToken.None);

    private static string Describe(ContainerListResponse container) => $"container {string.Join(' ', container.Names)} {container.State}";

    private async Task StartPodmanAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && System.Environment.IsPrivilegedProcess, "Podman's service is tested as root on Linux.");

        // No limit is above what a container without the right to raise limits may have.
        _folder.Write(
            "containers.conf",
            """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
            log_driver = "k8s-file"
            [engine]
            runtime = "runc"
            events_logger = "file"
            cgroup_manager = "cgroupfs"
            """u8.ToArray());
        using (Process info = StartPodman("info"))
        {
            Task<string> errors = info.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await info.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await info.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.SkipUnless(info.ExitCode == 0, $"podman cannot run here: {await errors}");
        }

        _service = StartPodman("system", "service", "--time=0", Address);

        // Nobody reads what it writes; a full pipe would stop it.
        _service.OutputDataReceived += (_, _) => { };
        _service.ErrorDataReceived += (_, _) => { };
        _service.BeginOutputReadLine();
        _service.BeginErrorReadLine();
        for (int i = 0; !File.Exists(Socket); i++)
        {
            Assert.True(i < Attempts && !_service.HasExited, "podman system service does not listen.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static async Task RunAsync(Process process)
    {
        using (process)
        {
            await Task.WhenAll(process.StandardOutput.ReadToEndAsync(CancellationToken.None), process.StandardError.ReadToEndAsync(CancellationToken.None));
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private Process StartPodman(params string[] arguments) => ExternalTool.Start(
        "env",
        [
            $"CONTAINERS_CONF={_folder.Combine("containers.conf")}",
            "podman",
            $"--root={_folder.Combine("root")}",
            $"--runroot={_folder.Combine("run")}",
            $"--tmpdir={_folder.Combine("tmp")}",
            "--storage-driver=overlay",
            .. arguments,
        ]);
}
