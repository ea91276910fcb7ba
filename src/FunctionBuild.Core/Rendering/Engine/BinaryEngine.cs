using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FunctionBuild.Core.Rendering.Composition;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Runtimes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Wire = FunctionBuild.Core.Rendering.Protocol.Engine;

namespace FunctionBuild.Core.Rendering.Engine;

/// <summary>
/// Crossplane's own controller: <c>crossplane internal render</c>, which takes the request on its standard input and
/// gives the answer on its standard output. Each function is offered to it on a port of its own.
/// </summary>
/// <param name="options">The program, and where progress is told.</param>
internal sealed partial class BinaryEngine(RenderOptions options) : IRenderEngine
{
    // As the program ends when a function returned a fatal result.
    private const int PipelineFatal = 3;
    private const int MaximumErrorLength = 16 * 1024;
    private const string Expected = "Expected is the program of Crossplane itself, which its image has as 'crossplane', of version 2.3.2 or later; its command-line tool is another program.";

    private readonly string _path = options.CrossplaneBinary ?? throw new ArgumentException("No program is named.", nameof(options));

    /// <inheritdoc/>
    /// <remarks>The program does not tell.</remarks>
    public string? Called => null;

    /// <inheritdoc/>
    public async Task<RenderResult> RenderAsync(RenderPlan plan, IReadOnlyCollection<RunningFunction> functions, CancellationToken cancellation)
    {
        var forwarders = new List<LoopbackForwarder>();
        try
        {
            var input = ToInput(plan.Request);
            foreach (RunningFunction function in functions)
            {
                var forwarder = new LoopbackForwarder(function);
                forwarders.Add(forwarder);
                input.Functions.Add(new Wire.FunctionInput { Name = function.Name, Address = forwarder.Address });
                options.Report?.Invoke($"{function.Name} is offered to '{_path}' on {forwarder.Address}.");
            }

            options.Progress?.Enter($"Running {Path.GetFileName(_path)} internal render", 0, plan.Steps);
            var request = new Wire.RenderRequest { Meta = new Wire.RequestMeta(), Composite = input };
            RenderResult result = ToResult(await RunAsync(request.ToByteArray(), cancellation).ConfigureAwait(false));
            CheckSchema(plan.Request, result);
            return result;
        }
        finally
        {
            foreach (LoopbackForwarder forwarder in forwarders)
            {
                await forwarder.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static Wire.CompositeInput ToInput(RenderRequest request)
    {
        JsonObject composite = request.CompositeResource.Copy();
        if (request.CompositeResourceDefinition is { } definition)
        {
            CompositeDefinition.ApplyDefaults(composite, definition, CompositeDefinition.SelectSchema(composite, definition));
        }

        var input = new Wire.CompositeInput
        {
            CompositeResource = StructConverter.ToStruct(composite),
            Composition = StructConverter.ToStruct(request.Composition),
            CompositeResourceDefinition = request.CompositeResourceDefinition is { } given ? StructConverter.ToStruct(given) : null,
        };
        input.ObservedResources.Add(request.ObservedResources.Select(StructConverter.ToStruct));
        input.RequiredResources.Add(request.RequiredResources.Select(StructConverter.ToStruct));
        input.RequiredSchemas.Add(request.RequiredSchemas.Select(StructConverter.ToStruct));
        input.Credentials.Add(request.Credentials.Select(s => StructConverter.ToStruct(WithData(s))));
        return input;
    }

    // The API server makes data of stringData, and the program has none.
    private static JsonObject WithData(JsonObject secret)
    {
        JsonObject stored = secret.Copy();
        foreach ((string key, JsonNode? value) in secret.Child("stringData") ?? [])
        {
            stored.Ensure("data")[key] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(value?.ToString() ?? string.Empty));
        }

        stored.Remove("stringData");
        return stored;
    }

    // Versions before 2.3.2 pass over what they do not know of a request, and take every composite resource for a modern one.
    private void CheckSchema(RenderRequest request, RenderResult result)
    {
        if (CompositeDefinition.SelectSchema(request.CompositeResource, request.CompositeResourceDefinition) == CompositeSchema.Legacy
            && result.CompositeResource.Child("spec").Child("crossplane")?["resourceRefs"] is not null)
        {
            throw new FunctionBuildException("CrossplaneBinaryTooOld", FaultKind.InvalidData, $"'{_path}' does not know composite resource definitions: it rendered a composite resource whose definition is a legacy one as if it were not. {Expected}", _path);
        }
    }

    private RenderResult ToResult(byte[] answer)
    {
        Wire.CompositeOutput? output;
        try
        {
            output = Wire.RenderResponse.Parser.ParseFrom(answer).Composite;
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Malformed("it is no RenderResponse", e);
        }

        if (output?.CompositeResource is null)
        {
            throw Malformed("it has no composite resource", null);
        }

        return ToResult(output);
    }

    private static RenderResult ToResult(Wire.CompositeOutput output) =>
        new()
        {
            CompositeResource = StructConverter.ToObject(output.CompositeResource),
            ComposedResources = ToObjects(output.ComposedResources),
            DeletedResources = ToObjects(output.DeletedResources),
            Events = [.. output.Events.Select(e => new RenderEvent(e.Type, e.Reason, e.Message))],
            RequiredResources = ToObjects(output.RequiredResources),
            RequiredSchemas = ToObjects(output.RequiredSchemas),
        };

    private static JsonObject[] ToObjects(IEnumerable<Struct> structs) => [.. structs.Select(StructConverter.ToObject)];

    private async Task<byte[]> RunAsync(byte[] request, CancellationToken cancellation)
    {
        using Process process = Start();
        using CancellationTokenRegistration kill = cancellation.Register(() => Kill(process));
        Task<string> error = ReadErrorAsync(process.StandardError);
        Task write = WriteAsync(process.StandardInput.BaseStream, request);
        using var answer = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(answer, CancellationToken.None).ConfigureAwait(false);
        await write.ConfigureAwait(false);
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        string said = (await error.ConfigureAwait(false)).Trim();
        cancellation.ThrowIfCancellationRequested();
        if (process.ExitCode == PipelineFatal)
        {
            throw Fatal(said, answer.ToArray());
        }

        if (process.ExitCode != 0)
        {
            throw new FunctionBuildException("CrossplaneBinaryFailed", FaultKind.InvalidData, $"'{_path} internal render' ended with exit code {process.ExitCode}{(said.Length > 0 ? $": {said}" : " and said nothing.")}", _path);
        }

        if (said.Length > 0)
        {
            options.Report?.Invoke($"'{_path}' says: {said}");
        }

        return answer.ToArray();
    }

    private RenderException Fatal(string said, byte[] answer)
    {
        string message = $"A function returned a fatal result. '{_path}' says: {said}";
        RenderResult? partial = ReadPartial(answer);
        string? own = partial?.Events.FirstOrDefault(e => e.Message.StartsWith(WellKnown.ComposeError, StringComparison.Ordinal))?.Message;

        // The program names the step, as the target of our own controller's error does.
        string target = FatalStep().Match(own ?? said) is { Success: true } step ? step.Groups["step"].Value : _path;
        var error = new RenderException("FunctionFatal", FaultKind.InvalidData, message, target) { ControllerMessage = own ?? message };
        return partial is null ? error : error.With(partial);
    }

    // What was there until the fatal result. Not every version gives it, and that it cannot be read is not what the user has to know.
    private static RenderResult? ReadPartial(byte[] answer)
    {
        try
        {
            return Wire.RenderResponse.Parser.ParseFrom(answer).Composite is { CompositeResource: not null } output ? ToResult(output) : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private Process Start()
    {
        try
        {
            // Left to itself it gives up after two minutes.
            return Process.Start(new ProcessStartInfo(_path, ["internal", "render", string.Create(CultureInfo.InvariantCulture, $"--timeout={options.Timeout.TotalSeconds:0.###}s")])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new FunctionBuildException("CrossplaneBinaryNotRunnable", FaultKind.NotFound, $"'{_path}' cannot be run: {e.Message}. {Expected}", _path, e);
        }
    }

    // A program that ends without reading all says why on its standard error.
    private static async Task WriteAsync(Stream input, byte[] request)
    {
        try
        {
            await using (input.ConfigureAwait(false))
            {
                await input.WriteAsync(request, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
        }
    }

    // Read to the end, so that the program never waits; the last of it is kept.
    private static async Task<string> ReadErrorAsync(StreamReader reader)
    {
        char[] buffer = new char[4096];
        var kept = new System.Text.StringBuilder();
        while (await reader.ReadAsync(buffer).ConfigureAwait(false) is > 0 and int read)
        {
            kept.Append(buffer, 0, read);
            if (kept.Length > 2 * MaximumErrorLength)
            {
                kept.Remove(0, kept.Length - MaximumErrorLength);
            }
        }

        return kept.ToString();
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It ended by itself.
        }
    }

    [GeneratedRegex("pipeline step \"(?<step>[^\"]+)\" returned a fatal result", RegexOptions.CultureInvariant)]
    private static partial Regex FatalStep();

    private FunctionBuildException Malformed(string problem, Exception? cause) =>
        new("CrossplaneBinaryMalformedAnswer", FaultKind.InvalidData, $"What '{_path} internal render' gave cannot be used: {problem}. {Expected}", _path, cause);
}
