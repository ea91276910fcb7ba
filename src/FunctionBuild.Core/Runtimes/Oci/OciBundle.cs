using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>
/// What an OCI runtime is told of a function (OCI runtime spec 1.0.2, <c>config.json</c>). The function has no
/// capabilities and can gain none, sees a read-only root with temporary folders, and has the caller's own resource limits,
/// which are inherited.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed record OciBundle
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const int LongestHostName = 63;

    private static readonly string[] Masked =
        ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap"];

    private static readonly string[] ReadOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <summary>The function's name.</summary>
    public required string Function { get; init; }

    /// <summary>The unpacked image.</summary>
    public required string RootPath { get; init; }

    /// <summary>The folder in which the process starts: absolute, without links.</summary>
    public string WorkingFolder { get; init; } = "/";

    /// <summary>The image's config.</summary>
    public required ImageConfig Config { get; init; }

    /// <summary>Whom the process runs as, inside the user namespace when there is one.</summary>
    public required ImageUser User { get; init; }

    /// <summary>The user namespace; null when the caller is root.</summary>
    public UserNamespace? UserNamespace { get; init; }

    /// <summary>Variables that win over the image's.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>Whether the function shares the machine's network.</summary>
    public bool HostNetwork { get; init; }

    /// <summary>A file that becomes <c>/etc/hosts</c>.</summary>
    public required string HostsFile { get; init; }

    /// <summary>The most memory, in bytes; null for no limit.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>The most processes and threads; null for no limit.</summary>
    public int? ProcessLimit { get; init; }

    /// <summary>The function's name as a host may have it.</summary>
    public string HostName
    {
        get
        {
            string name = new string([.. Function.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Trim('-');
            return name.Length == 0 ? "function" : name[..Math.Min(name.Length, LongestHostName)].TrimEnd('-');
        }
    }

    /// <summary>
    /// The command: the image's entrypoint with <c>--insecure</c> in place of the image's arguments, as
    /// <c>crossplane render</c> runs it; the image's own command takes the place of an entrypoint that is missing.
    /// </summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>ImageWithoutEntrypoint</c>.</exception>
    public IReadOnlyList<string> Command
    {
        get
        {
            IReadOnlyList<string> program = Config.Entrypoint.Count > 0 ? Config.Entrypoint : Config.Cmd;
            return program.Count > 0
                ? [.. program, "--insecure"]
                : throw new FunctionBuildException(
                    "ImageWithoutEntrypoint",
                    FaultKind.InvalidData,
                    $"The image of function '{Function}' has neither entrypoint nor command, so nothing says what to run. Set ENTRYPOINT when the image is built.",
                    Function);
        }
    }

    /// <summary>The bytes of <c>config.json</c>.</summary>
    public byte[] ToJson() => OciJson.ToBytes(new JsonObject
    {
        ["ociVersion"] = "1.0.2",
        ["process"] = new JsonObject
        {
            ["terminal"] = false,
            ["user"] = Describe(User),
            ["args"] = Strings(Command),
            ["env"] = Strings(Variables()),
            ["cwd"] = WorkingFolder,
            ["capabilities"] = new JsonObject
            {
                ["bounding"] = new JsonArray(),
                ["effective"] = new JsonArray(),
                ["inheritable"] = new JsonArray(),
                ["permitted"] = new JsonArray(),
                ["ambient"] = new JsonArray(),
            },
            ["noNewPrivileges"] = true,
        },
        ["root"] = new JsonObject { ["path"] = RootPath, ["readonly"] = true },
        ["hostname"] = HostName,
        ["mounts"] = Mounts(),
        ["linux"] = Linux(),
    });

    private static JsonObject Describe(ImageUser user)
    {
        var json = new JsonObject { ["uid"] = user.Id, ["gid"] = user.Group };
        if (user.AdditionalGroups.Count > 0)
        {
            json["additionalGids"] = new JsonArray([.. user.AdditionalGroups.Select(g => JsonValue.Create(g))]);
        }

        return json;
    }

    private List<string> Variables()
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = DefaultPath, ["HOSTNAME"] = HostName, ["HOME"] = User.Home };
        foreach (string variable in Config.Env)
        {
            int equals = variable.IndexOf('=');
            if (equals > 0)
            {
                values[variable[..equals]] = variable[(equals + 1)..];
            }
        }

        foreach ((string name, string value) in Environment)
        {
            values[name] = value;
        }

        return [.. values.Select(v => $"{v.Key}={v.Value}")];
    }

    private JsonArray Mounts()
    {
        // With one id there is no group of terminals.
        string[] terminals = UserNamespace is { HasOneId: true } ? [] : ["gid=5"];
        var mounts = new JsonArray(
            Mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
            Mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            Mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", .. terminals]),
            Mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
            Mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
            Mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=1g"),
            Mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=64m"),
            Mount("/etc/hosts", "bind", HostNetwork && File.Exists("/etc/hosts") ? "/etc/hosts" : HostsFile, "rbind", "ro", "nosuid", "nodev", "noexec"));
        if (!HostNetwork)
        {
            mounts.Add(Mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"));
            return mounts;
        }

        // Only who owns a network may mount its sysfs.
        mounts.Add(UserNamespace is null
            ? Mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro")
            : Mount("/sys", "bind", "/sys", "rbind", "nosuid", "noexec", "nodev", "ro"));
        if (File.Exists("/etc/resolv.conf"))
        {
            mounts.Add(Mount("/etc/resolv.conf", "bind", "/etc/resolv.conf", "rbind", "ro", "nosuid", "nodev", "noexec"));
        }

        return mounts;
    }

    private JsonObject Linux()
    {
        var namespaces = new JsonArray(Namespace("pid"), Namespace("mount"), Namespace("ipc"), Namespace("uts"));
        if (!HostNetwork)
        {
            namespaces.Add(Namespace("network"));
        }

        var linux = new JsonObject { ["namespaces"] = namespaces, ["maskedPaths"] = Strings(Masked), ["readonlyPaths"] = Strings(ReadOnlyPaths) };
        if (UserNamespace is { IsEntered: false })
        {
            namespaces.Add(Namespace("user"));
            linux["uidMappings"] = Ranges(UserNamespace.Users);
            linux["gidMappings"] = Ranges(UserNamespace.Groups);
        }

        var resources = new JsonObject();
        if (MemoryLimit is { } memory)
        {
            resources["memory"] = new JsonObject { ["limit"] = memory };
        }

        if (ProcessLimit is { } processes)
        {
            resources["pids"] = new JsonObject { ["limit"] = processes };
        }

        if (resources.Count > 0)
        {
            linux["resources"] = resources;
        }

        return linux;
    }

    private static JsonObject Mount(string destination, string type, string source, params string[] options) =>
        new() { ["destination"] = destination, ["type"] = type, ["source"] = source, ["options"] = Strings(options) };

    private static JsonObject Namespace(string type) => new() { ["type"] = type };

    private static JsonArray Ranges(IReadOnlyList<IdRange> ranges) =>
        new([.. ranges.Select(r => new JsonObject { ["containerID"] = r.Inside, ["hostID"] = r.Outside, ["size"] = r.Count })]);

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(v => JsonValue.Create(v))]);

    /// <summary>What a function's <c>/etc/hosts</c> says.</summary>
    public byte[] HostsText() => Encoding.ASCII.GetBytes($"127.0.0.1 localhost {HostName}\n::1 localhost\n");
}
