using System.Diagnostics;
using System.Management.Automation;
using System.Net;
using System.Net.Sockets;
using FunctionBuild.Core.Tests.Fixtures;
using FunctionBuild.Tests.Fixtures;

namespace FunctionBuild.Tests.Commands;

/// <summary>
/// Functions as their makers write them: on .NET, on gRPC for Python in images of fifty layers, and on Crossplane's SDK
/// for TypeScript; in an OCI runtime, in Podman, and listening already.
/// </summary>
[Collection(PodmanService.Collection)]
public sealed class RealFunctionTests(HelloFunction hello, PodmanService podman) : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);

    private readonly ModuleSession _session = new();

    private static string PythonFolder => Environment.GetEnvironmentVariable("FUNCTIONBUILD_TEST_FUNCTIONS") ?? Path.Combine(Built.Repository, "out", "functions");

    private static string TypeScriptFolder => Path.Combine(Built.Repository, "tests", "functions", "typescript");

    public async ValueTask DisposeAsync()
    {
        _session.Dispose();
        await podman.EndTestAsync();
    }

    [Fact]
    public async Task Function_hello_renders_its_example_in_an_OCI_runtime()
    {
        SkipWithoutOciRuntime();
        RenderHello(await hello.GetTarballAsync(), "Oci");
        Assert.Empty(Running());
    }

    [Fact]
    public async Task Function_hello_renders_its_example_in_podman()
    {
        string tarball = await hello.GetTarballAsync();
        await InPodman(() => RenderHello(tarball, "Docker"));
    }

    [Fact]
    public void Four_functions_in_images_of_fifty_layers_render_in_one_call_in_an_OCI_runtime()
    {
        SkipWithoutOciRuntime();
        RenderPython("Oci", 4);
        Assert.Empty(Running());
    }

    [Fact]
    public async Task Two_functions_in_images_of_fifty_layers_render_in_one_call_in_podman() => await InPodman(() => RenderPython("Docker", 2));

    [Fact]
    public async Task A_function_on_the_TypeScript_SDK_renders_where_it_listens()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(TypeScriptFolder, "node_modules")), "The SDK is not installed. Run: npm ci --prefix tests/functions/typescript");
        int port = FreePort();
        using Process function = ExternalTool.Start("node", Path.Combine(TypeScriptFolder, "function.js"), "--insecure", $"--address=127.0.0.1:{port}");
        try
        {
            await ListensAsync(port, function);
            _session.Folder.Write("functions.yaml", Bytes($$"""
                apiVersion: pkg.crossplane.io/v1
                kind: Function
                metadata:
                  name: function-typescript
                  annotations:
                    render.crossplane.io/runtime: Development
                    render.crossplane.io/runtime-development-target: 127.0.0.1:{{port}}
                """));
            WriteComposition("function-typescript");

            IReadOnlyList<PSObject> rendered = _session.Get("""
                $r = Invoke-FunctionRender $args[0] composition.yaml functions.yaml -IncludeFunctionResults
                $r[1].data.greeting; $r[0].status.conditions.Where{ $_.type -eq 'Ready' }.status; $r.Where{ $_.kind -eq 'Result' }.message
                """, Example("xr.yaml"));

            Assert.Equal(["Hello, Crossplane!", "True", "Successfully selected composition: test", "Pipeline step \"function-typescript\": Greeted Crossplane"], rendered.Select(o => o.ToString()));
        }
        finally
        {
            function.Kill(entireProcessTree: true);
            await function.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static string Example(string name) => Path.Combine(Built.Repository, "examples", name);

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    internal static void SkipWithoutOciRuntime()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "An OCI runtime runs functions on Linux.");
        string[] names = ["runc", "crun", "youki"];
        bool found = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Any(folder => names.Any(name => File.Exists(Path.Combine(folder, name))));
        Assert.SkipUnless(found, "There is no OCI runtime.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task ListensAsync(int port, Process function)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(StartTime);
        while (true)
        {
            Assert.False(function.HasExited, "The function ended by itself.");
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, limit.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, limit.Token);
            }
        }
    }

    private async Task InPodman(Action render)
    {
        const string variable = "DOCKER_HOST";
        await podman.StartAsync();
        string? before = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, podman.Address);
        try
        {
            render();
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, before);
        }

        Assert.Empty(await podman.ListAsync());
    }

    private void RenderHello(string tarball, string runtime)
    {
        IReadOnlyList<PSObject> rendered = _session.Get("""
            $r = Import-FunctionTarball $args[0] |
                Build-FunctionImage registry.example.com/acme/function-hello |
                Invoke-FunctionRender $args[1] $args[2] -Runtime $args[3]
            $r.kind; $r[1].data.greeting
            """, tarball, Example("xr.yaml"), Example("composition.yaml"), runtime);

        Assert.Equal(["Greeting", "ConfigMap", "Hello, Crossplane!"], rendered.Select(o => o.ToString()));
    }

    private void RenderPython(string runtime, int functions)
    {
        string[] names = [.. Enumerable.Range(1, functions).Select(n => $"function-p{n:00}")];
        Assert.SkipUnless(
            Directory.Exists(PythonFolder) && names.All(n => Directory.EnumerateFiles(PythonFolder, n + "-*.tar.gz").Any()),
            "The images are not made. Run: tests/functions/make_python_functions.py out/functions");
        WriteComposition(names);

        IReadOnlyList<PSObject> rendered = _session.Get("""
            $r = Import-FunctionTarball "$($args[0])/*.tar.gz" |
                Build-FunctionImage registry.example.com/acme/platform |
                Invoke-FunctionRender $args[1] composition.yaml -Runtime $args[2]
            $r.Where{ $_.kind -eq 'ConfigMap' }.data.from
            $r[0].status.conditions.Where{ $_.type -eq 'Ready' }.status
            """, PythonFolder, Example("xr.yaml"), runtime);

        Assert.Equal([.. names, "True"], rendered.Select(o => o.ToString()));
    }

    private void WriteComposition(params string[] functions) => _session.Folder.Write("composition.yaml", Bytes(
        """
        apiVersion: apiextensions.crossplane.io/v1
        kind: Composition
        metadata:
          name: test
        spec:
          compositeTypeRef:
            apiVersion: example.com/v1
            kind: Greeting
          mode: Pipeline
          pipeline:

        """ + string.Concat(functions.Select(f => $"    - step: {f}\n      functionRef:\n        name: {f}\n"))));

    /// <summary>Processes whose root is in a workspace of this session.</summary>
    private IEnumerable<string> Running() =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), out _)
        let root = Root(folder)
        where root.StartsWith(_session.Folder.Path, StringComparison.Ordinal)
        select folder;

    private static string Root(string folder)
    {
        try
        {
            return new DirectoryInfo(Path.Combine(folder, "root")).LinkTarget ?? string.Empty;
        }
        catch (IOException)
        {
            // It has ended.
            return string.Empty;
        }
    }
}
