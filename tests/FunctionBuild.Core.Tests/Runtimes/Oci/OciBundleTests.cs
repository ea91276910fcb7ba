using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Oci;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Oci;
using FunctionBuild.Core.Tests.Fixtures;
using Folders = FunctionBuild.Core.Tests.Fixtures.SearchPath;
using Programs = FunctionBuild.Core.Runtimes.Oci.SearchPath;

namespace FunctionBuild.Core.Tests.Runtimes.Oci;

[SupportedOSPlatform("linux")]
public sealed class OciBundleTests : IDisposable
{
    private static readonly string[] NoCapabilities = ["ambient", "bounding", "effective", "inheritable", "permitted"];

    private readonly TestFolder _folder = new();

    public OciBundleTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "OCI runtimes run on Linux.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_process_is_what_the_image_says_with_insecure_in_place_of_its_arguments()
    {
        JsonObject process = Json(Bundle("""{"Entrypoint":["/function","serve"],"Cmd":["--debug"]}""") with { WorkingFolder = "/app" })["process"]!.AsObject();

        Assert.Equal(["/function", "serve", "--insecure"], Texts(process["args"]));
        Assert.Equal("/app", (string?)process["cwd"]);
        Assert.Equal(65532, (int)process["user"]!["uid"]!);
        Assert.Equal(65533, (int)process["user"]!["gid"]!);
        Assert.Equal([1, 2], process["user"]!["additionalGids"]!.AsArray().Select(g => (int)g!));
        Assert.False((bool)process["terminal"]!);
    }

    [Fact]
    public void A_command_takes_the_place_of_a_missing_entrypoint()
    {
        Assert.Equal(["/function", "--insecure"], Texts(Json(Bundle("""{"Cmd":["/function"]}"""))["process"]!["args"]));
        Assert.Equal("ImageWithoutEntrypoint", Assert.Throws<FunctionBuildException>(() => Bundle("{}").ToJson()).ErrorId);
    }

    [Fact]
    public void Variables_are_the_images_and_then_the_users()
    {
        OciBundle bundle = Bundle("""{"Entrypoint":["/f"],"Env":["A=image","B=image=x","PATH=/app","broken"]}""") with { Environment = [new("A", "user"), new("C", ""), new("C", "last")] };

        Assert.Equal(["A=user", "B=image=x", "C=last", "HOME=/home/f", "HOSTNAME=function-a-b", "PATH=/app"], Texts(Json(bundle)["process"]!["env"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_process_has_no_capabilities_gains_none_and_inherits_its_limits()
    {
        JsonObject process = Json(Bundle())["process"]!.AsObject();

        Assert.Equal(NoCapabilities, process["capabilities"]!.AsObject().Select(c => c.Key).Order(StringComparer.Ordinal));
        Assert.All(process["capabilities"]!.AsObject(), c => Assert.Empty(c.Value!.AsArray()));
        Assert.True((bool)process["noNewPrivileges"]!);
        Assert.Null(process["rlimits"]);
    }

    [Fact]
    public void The_root_is_read_only_with_folders_for_what_is_temporary()
    {
        JsonObject json = Json(Bundle());

        Assert.True((bool)json["root"]!["readonly"]!);
        Dictionary<string, string> mounts = json["mounts"]!.AsArray().ToDictionary(m => (string)m!["destination"]!, m => (string)m!["type"]!);
        Assert.Equal("tmpfs", mounts["/tmp"]);
        Assert.Equal("tmpfs", mounts["/run"]);
        Assert.Equal("proc", mounts["/proc"]);
        Assert.Equal("sysfs", mounts["/sys"]);
        Assert.Contains("/proc/kcore", Texts(json["linux"]!["maskedPaths"]));
        Assert.Contains("/proc/sys", Texts(json["linux"]!["readonlyPaths"]));
    }

    [Fact]
    public void Each_function_has_its_own_namespaces_and_the_machines_network_only_when_asked_for()
    {
        Assert.Equal(["ipc", "mount", "network", "pid", "uts"], Namespaces(Bundle()));
        Assert.Equal(["ipc", "mount", "pid", "uts"], Namespaces(Bundle() with { HostNetwork = true }));
    }

    [Fact]
    public void A_user_namespace_maps_its_root_to_the_caller()
    {
        OciBundle bundle = Bundle() with { UserNamespace = new UserNamespace([new(0, 1000, 1)], [new(0, 100, 1)]) };
        JsonNode linux = Json(bundle)["linux"]!;

        Assert.Equal(["ipc", "mount", "network", "pid", "user", "uts"], Namespaces(bundle));
        Assert.Equal("""[{"containerID":0,"hostID":1000,"size":1}]""", linux["uidMappings"]!.ToJsonString());
        Assert.Equal("""[{"containerID":0,"hostID":100,"size":1}]""", linux["gidMappings"]!.ToJsonString());
        Assert.DoesNotContain(Json(bundle)["mounts"]!.AsArray(), m => Texts(m!["options"]).Contains("gid=5"));
    }

    [Fact]
    public void Limits_are_there_only_where_they_can_be_set()
    {
        Assert.Null(Json(Bundle())["linux"]!["resources"]);
        JsonNode resources = Json(Bundle() with { MemoryLimit = 1000, ProcessLimit = 50 })["linux"]!["resources"]!;
        Assert.Equal(1000, (int)resources["memory"]!["limit"]!);
        Assert.Equal(50, (int)resources["pids"]!["limit"]!);
    }

    [Theory]
    [InlineData("Function_A.b", "function-a-b")]
    [InlineData("---", "function")]
    [InlineData("a-name-that-is-longer-than-the-sixty-three-characters-of-a-hosts-name", "a-name-that-is-longer-than-the-sixty-three-characters-of-a-host")]
    public void A_host_name_is_made_of_the_functions(string function, string host) => Assert.Equal(host, (Bundle() with { Function = function }).HostName);

    [Theory]
    [InlineData("", 0, 0, "/root")]
    [InlineData("0", 0, 0, "/root")]
    [InlineData("app", 1000, 1001, "/home/app", 5, 44)]
    [InlineData("1000", 1000, 1001, "/home/app", 5, 44)]
    [InlineData("app:video", 1000, 44, "/home/app")]
    [InlineData("app:7", 1000, 7, "/home/app")]
    [InlineData("4321", 4321, 0, "/")]
    [InlineData("4321:8", 4321, 8, "/")]
    [InlineData(":8", 0, 8, "/root")]
    public void A_user_is_looked_up_in_the_image(string specification, int id, int group, string home, params int[] more)
    {
        using RootFolder root = Accounts();

        var user = ImageUser.Resolve(root, specification, "function-a");

        Assert.Equal(((uint)id, (uint)group, home), (user.Id, user.Group, user.Home));
        Assert.Equal(more.Select(g => (uint)g), user.AdditionalGroups);
    }

    [Theory]
    [InlineData("nobody-knows")]
    [InlineData("app:nobody-knows")]
    [InlineData("-1")]
    [InlineData("4294967296")]
    public void A_user_that_is_not_in_the_image_is_an_error(string specification)
    {
        using RootFolder root = Accounts();

        Assert.Equal("ImageUserUnknown", Assert.Throws<FunctionBuildException>(() => ImageUser.Resolve(root, specification, "function-a")).ErrorId);
    }

    [Fact]
    public void An_images_passwd_may_be_a_link_but_not_to_the_outside()
    {
        string path = Directory.CreateDirectory(_folder.Combine("root")).FullName;
        Directory.CreateDirectory(Path.Combine(path, "etc"));
        Directory.CreateDirectory(Path.Combine(path, "real"));
        File.WriteAllText(Path.Combine(path, "real", "passwd"), "app:x:7:8::/:/bin/sh\n");
        File.WriteAllText(_folder.Combine("passwd"), "evil:x:0:0::/:/bin/sh\n");
        using var root = new RootFolder(path);

        File.CreateSymbolicLink(Path.Combine(path, "etc", "passwd"), "/real/passwd");
        Assert.Equal(7u, ImageUser.Resolve(root, "app", "f").Id);

        File.Delete(Path.Combine(path, "etc", "passwd"));
        File.CreateSymbolicLink(Path.Combine(path, "etc", "passwd"), _folder.Combine("passwd"));
        Assert.Throws<FunctionBuildException>(() => ImageUser.Resolve(root, "evil", "f"));
        File.Delete(Path.Combine(path, "etc", "passwd"));
        File.CreateSymbolicLink(Path.Combine(path, "etc", "passwd"), "../../passwd");
        Assert.Throws<FunctionBuildException>(() => ImageUser.Resolve(root, "evil", "f"));
    }

    [Theory]
    [InlineData("", "/")]
    [InlineData("/", "/")]
    [InlineData("/app", "/app")]
    [InlineData("app/./new//inner", "/app/new/inner")]
    [InlineData("/link/in", "/app/in")]
    [InlineData("/../../outside", "/outside")]
    [InlineData("/climbing/x", "/outside/x")]
    public void A_working_folder_is_resolved_inside_the_image_and_made_when_it_is_missing(string specification, string expected)
    {
        using RootFolder root = WorkingFolders();
        string path = _folder.Combine("root");
        Assert.Equal(expected, WorkingFolder.Resolve(root, specification, "f"));

        Assert.True(Directory.Exists(path + expected));
        Assert.Equal(expected == "/" ? UnixMode.Of(path) : (UnixFileMode)0x1ED, UnixMode.Of(path + expected));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("outside")));
    }

    [Theory]
    [InlineData("/proc/self/fd/7")]
    [InlineData("/process/7")]
    [InlineData("/app/../proc")]
    [InlineData("/dev/fd/7")]
    [InlineData("/sys")]
    [InlineData("/circle/x")]
    [InlineData("/..\0/..\0/outside/x")]
    public void A_working_folder_of_the_system_is_refused(string specification)
    {
        using RootFolder root = WorkingFolders();

        FunctionBuildException e = Assert.Throws<FunctionBuildException>(() => WorkingFolder.Resolve(root, specification, "function-a"));

        Assert.Equal("WorkingFolderUnsafe", e.ErrorId);
        Assert.Contains("function-a", e.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("outside")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_mounted_on_is_made_before_runtimes_race_in_making_it(bool hostNetwork)
    {
        string path = Directory.CreateDirectory(_folder.Combine("root")).FullName;
        Directory.CreateDirectory(Path.Combine(path, "run"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Combine(path, "tmp"), "var/../../var/tmp");

        Parallel.For(0, 8, _ =>
        {
            using var root = new RootFolder(path);
            MountPoints.Make(root, "function-a");
        });

        IEnumerable<string> places = Json(Bundle() with { HostNetwork = hostNetwork })["mounts"]!.AsArray().Select(m => (string)m!["destination"]!).Where(d => !d.StartsWith("/dev/", StringComparison.Ordinal));
        Assert.All(places, p => Assert.True(Path.Exists(path + p), p));
        Assert.Equal(
            ["dev/", "etc/", "etc/hosts", "etc/resolv.conf", "proc/", "run/", "sys/", "tmp", "var/", "var/tmp/"],
            RootTree.Names(path));
        Assert.Equal(0x1EDu, (uint)File.GetUnixFileMode(Path.Combine(path, "sys")));
        Assert.Equal(0x1A4u, (uint)File.GetUnixFileMode(Path.Combine(path, "etc/hosts")));
        Assert.Equal(0x1C0u, (uint)File.GetUnixFileMode(Path.Combine(path, "run")));
    }

    [Fact]
    public void A_file_where_a_folder_is_mounted_is_refused_and_stays()
    {
        string path = Directory.CreateDirectory(_folder.Combine("root")).FullName;
        File.WriteAllText(Path.Combine(path, "tmp"), "text");
        File.WriteAllText(Path.Combine(path, "app"), "program");
        using var root = new RootFolder(path);

        Assert.Equal("MountPointUnsafe", Assert.Throws<FunctionBuildException>(() => MountPoints.Make(root, "function-a")).ErrorId);
        Assert.Equal("WorkingFolderUnsafe", Assert.Throws<FunctionBuildException>(() => WorkingFolder.Resolve(root, "/app/data", "function-a")).ErrorId);

        Assert.Equal("text", File.ReadAllText(Path.Combine(path, "tmp")));
        Assert.Equal("program", File.ReadAllText(Path.Combine(path, "app")));
    }

    [Fact]
    public void A_place_to_mount_on_that_leads_nowhere_is_refused()
    {
        string path = Directory.CreateDirectory(_folder.Combine("root")).FullName;
        File.CreateSymbolicLink(Path.Combine(path, "run"), "var/run");
        File.CreateSymbolicLink(Path.Combine(path, "var"), "/run/..");
        using var root = new RootFolder(path);

        FunctionBuildException e = Assert.Throws<FunctionBuildException>(() => MountPoints.Make(root, "function-a"));

        Assert.Equal("MountPointUnsafe", e.ErrorId);
        Assert.Contains("'/run'", e.Message);
        Assert.Contains("function-a", e.Message);
    }

    [Fact]
    public void With_one_id_a_function_runs_as_the_namespaces_root_and_with_many_as_its_user()
    {
        var user = new ImageUser(65532, 65532, [44, 70000], "/");

        ImageUser one = new UserNamespace([new(0, 1000, 1)], [new(0, 1000, 1)]).Map(user, "f");
        Assert.Equal((0u, 0u), (one.Id, one.Group));
        Assert.Empty(one.AdditionalGroups);

        var many = new UserNamespace([new(0, 1000, 1), new(1, 100000, 65536)], [new(0, 1000, 1), new(1, 100000, 65536)]);
        Assert.Equal((65532u, 65532u), (many.Map(user, "f").Id, many.Map(user, "f").Group));
        Assert.Equal([44u], many.Map(user, "f").AdditionalGroups);
        Assert.Equal("ImageUserUnavailable", Assert.Throws<FunctionBuildException>(() => many.Map(user with { Id = 70000 }, "f")).ErrorId);
    }

    [Theory]
    [InlineData("cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0|cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0", "memory pids", true, false, true, true, true)]
    [InlineData("cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0|cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0", "\n", false, true, true, true, false)]
    [InlineData("cgroup /sys/fs/cgroup/memory cgroup ro,relatime,memory 0 0|cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0", "", false, true, true, true, false)]
    [InlineData("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0", "cpu memory pids\n", true, true, true, true, false)]
    [InlineData("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0", "", false, false, true, true, false)]
    [InlineData("cgroup2 /sys/fs/cgroup cgroup2 ro,nosuid 0 0", "memory pids", false, false, false, true, false)]
    [InlineData("proc /proc proc rw 0 0", "memory pids", false, false, false, false, false)]
    public void Control_groups_of_each_version_are_recognised(string mounts, string controllers, bool memory, bool processes, bool canMake, bool areMounted, bool areMixed) =>
        Assert.Equal(new ControlGroups(memory, processes, canMake, areMounted, areMixed), ControlGroups.Read(mounts.Split('|'), _ => controllers));

    [Theory]
    [InlineData("runc", true, false, null)]
    [InlineData("crun", true, false, null)]
    [InlineData("runc", true, true, null)]
    [InlineData("crun", true, true, "tmpfs /sys/fs/cgroup/unified")]
    [InlineData("runc", false, false, "cgroup2 /sys/fs/cgroup")]
    [InlineData("crun", false, false, "cgroup2 /sys/fs/cgroup")]
    public void A_runtime_gets_a_view_of_its_own_where_it_cannot_do_with_the_machines_control_groups(string runtime, bool areMounted, bool areMixed, string? expected)
    {
        var view = ControlGroupView.For(new OciProgram(runtime, "/usr/bin/" + runtime), new ControlGroups(true, true, true, areMounted, areMixed));

        Assert.Equal(expected, view is null ? null : $"{view.Type} {view.Place}");
    }

    [Theory]
    [InlineData("youki", 255, "run failed : failed to create container: no such file\n", true)]
    [InlineData("youki", 255, "the function's own end\n", false)]
    [InlineData("youki", 2, "run failed : it says\n", false)]
    [InlineData("runc", 255, "run failed : it says\n", false)]
    public void What_youki_could_not_start_is_told_from_what_ended(string runtime, int exitCode, string log, bool expected) =>
        Assert.Equal(expected, new OciProgram(runtime, "/usr/bin/" + runtime).CouldNotStart(exitCode, log));

    [Fact]
    public void A_user_namespace_that_the_runtime_runs_in_is_not_made_by_it()
    {
        var own = UserNamespace.OfOneId(1000, 1001, isEntered: false);
        Assert.Equal(["ipc", "mount", "network", "pid", "user", "uts"], Namespaces(Bundle() with { UserNamespace = own }));
        Assert.NotNull(Json(Bundle() with { UserNamespace = own })["linux"]!["uidMappings"]);

        OciBundle entered = Bundle() with { UserNamespace = UserNamespace.OfOneId(1000, 1001, isEntered: true) };
        Assert.Equal(["ipc", "mount", "network", "pid", "uts"], Namespaces(entered));
        Assert.Null(Json(entered)["linux"]!["uidMappings"]);
        Assert.Null(Json(entered)["linux"]!["gidMappings"]);
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_no_program()
    {
        string program = $"program-{Guid.NewGuid():N}";
        (string first, string second) = (_folder.Combine("first"), _folder.Combine("second"));
        Directory.CreateDirectory(first);
        Directory.CreateDirectory(second);
        File.CreateSymbolicLink(Path.Combine(first, program), "/nowhere/at/all");
        Folders.Add(second);
        Folders.Add(first);
        Assert.Null(Programs.Find(program));

        File.WriteAllText(Path.Combine(second, program), string.Empty);
        File.SetUnixFileMode(Path.Combine(second, program), (UnixFileMode)0x1ED);
        Assert.Equal(Path.Combine(second, program), Programs.Find(program));
    }

    [Fact]
    public void A_log_keeps_its_end()
    {
        var log = new LogTail();
        for (int i = 0; i < 30_000; i++)
        {
            log.Append(Encoding.UTF8.GetBytes($"line {i}\n"));
        }

        Assert.Equal(64 * 1024, log.ToString().Length);
        Assert.Equal("line 29998\nline 29999", LogEnd.LastLines(log.ToString(), 2));
        log.Append(Encoding.UTF8.GetBytes(new string('x', 100_000) + "\nend"));
        Assert.EndsWith("x\nend", log.ToString(), StringComparison.Ordinal);
        Assert.Equal(64 * 1024, log.ToString().Length);
    }

    private RootFolder Accounts()
    {
        string etc = Directory.CreateDirectory(_folder.Combine("accounts/etc")).FullName;
        File.WriteAllText(Path.Combine(etc, "passwd"), "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\napp:x:1000:1001:An app:/home/app:/bin/false\n");
        File.WriteAllText(Path.Combine(etc, "group"), "root:x:0:\nvideo:x:44:app,other\ntty:x:5:app\nother:x:9:other\nbroken:x:y:app\n");
        return new RootFolder(_folder.Combine("accounts"));
    }

    private static OciBundle Bundle(string config = """{"Entrypoint":["/function"]}""") => new()
    {
        Function = "function-a.b",
        RootPath = "/root/path",
        Config = ImageConfig.Parse(Encoding.UTF8.GetBytes($$"""{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[]},"config":{{config}}}""")),
        User = new ImageUser(65532, 65533, [1, 2], "/home/f"),
        HostsFile = "/hosts",
    };

    private RootFolder WorkingFolders()
    {
        string path = Directory.CreateDirectory(_folder.Combine("root")).FullName;
        Directory.CreateDirectory(_folder.Combine("outside"));
        Directory.CreateDirectory(Path.Combine(path, "app"), (UnixFileMode)0x1ED);
        File.CreateSymbolicLink(Path.Combine(path, "link"), "/app");
        File.CreateSymbolicLink(Path.Combine(path, "climbing"), "../../outside");
        File.CreateSymbolicLink(Path.Combine(path, "process"), "/proc/self/fd");
        File.CreateSymbolicLink(Path.Combine(path, "circle"), "circle");
        return new RootFolder(path);
    }

    private static JsonObject Json(OciBundle bundle) => JsonNode.Parse(bundle.ToJson())!.AsObject();

    private static IEnumerable<string> Texts(JsonNode? list) => list!.AsArray().Select(t => (string)t!);

    private static IEnumerable<string> Namespaces(OciBundle bundle) =>
        Json(bundle)["linux"]!["namespaces"]!.AsArray().Select(n => (string)n!["type"]!).Order(StringComparer.Ordinal);
}
