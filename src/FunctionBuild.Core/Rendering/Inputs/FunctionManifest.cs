using System.Net;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;
using FunctionBuild.Core.Runtimes;
using FunctionBuild.Core.Runtimes.Development;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>A <c>Function</c> object of a functions file, and how its annotations want it run.</summary>
internal sealed class FunctionManifest
{
    private const string Prefix = "render.crossplane.io/";
    private const string RuntimeKey = Prefix + "runtime";
    private const string TargetKey = Prefix + "runtime-development-target";
    private const string ImageKey = Prefix + "runtime-docker-image";
    private const string PullPolicyKey = Prefix + "runtime-docker-pull-policy";
    private const string CleanupKey = Prefix + "runtime-docker-cleanup";
    private const string ContainerNameKey = Prefix + "runtime-docker-name";
    private const string EnvironmentKey = Prefix + "runtime-docker-env";
    private const string PublishAddressKey = Prefix + "runtime-docker-publish-address";
    private const string ContainerHostKey = Prefix + "runtime-docker-target";
    private const string NetworkKey = Prefix + "runtime-docker-network";

    private readonly string _place;
    private readonly Dictionary<string, string> _annotations = new(StringComparer.Ordinal);

    private FunctionManifest(InputDocument document)
    {
        JsonObject content = document.AsObject();
        _place = document.Place;
        if (content.Kind() != "Function" || content.ApiVersion() is not ("pkg.crossplane.io/v1" or "pkg.crossplane.io/v1beta1"))
        {
            throw new FunctionBuildException("NotAFunction", FaultKind.InvalidData, $"{_place}: a Function of pkg.crossplane.io/v1 is expected, and this is a {content.Kind()} of '{content.ApiVersion()}'.", document.Source);
        }

        Name = content.Name() is { Length: > 0 } name
            ? name
            : throw new FunctionBuildException("NotAFunction", FaultKind.InvalidData, $"{_place}: the Function has no metadata.name.", document.Source);
        Package = content.Child("spec").Text("package") is { Length: > 0 } package ? package : null;
        foreach ((string key, JsonNode? value) in content.Child("metadata").Child("annotations") ?? [])
        {
            if (key.StartsWith(Prefix, StringComparison.Ordinal))
            {
                _annotations[key] = value is JsonValue single && single.TryGetValue(out string? text) ? text : throw Invalid(key, value?.ToJsonString() ?? "null", "a text in quotes");
            }
        }

        Start = ReadStart();
    }

    /// <summary>The name by which steps refer to it.</summary>
    public string Name { get; }

    /// <summary>The package that it is installed from; null when the object names none.</summary>
    public string? Package { get; }

    /// <summary>How it is run.</summary>
    public FunctionStart Start { get; }

    /// <summary>Annotations of the reference that nothing is done with.</summary>
    public IEnumerable<string> UnusedAnnotations => _annotations.Keys.Where(k => k is not (RuntimeKey or TargetKey or ImageKey or PullPolicyKey or CleanupKey or ContainerNameKey or EnvironmentKey or PublishAddressKey or ContainerHostKey or NetworkKey));

    /// <summary>Reads a functions file's objects.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>NotAFunction</c>, <c>InvalidFunctionAnnotation</c> or <c>DuplicateFunction</c>.</exception>
    public static IReadOnlyList<FunctionManifest> Read(IEnumerable<InputDocument> documents)
    {
        List<FunctionManifest> manifests = [.. documents.Select(d => new FunctionManifest(d))];
        if (manifests.GroupBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new FunctionBuildException("DuplicateFunction", FaultKind.InvalidData, $"Two Functions have the name '{twice.Key}': {string.Join(", ", twice.Select(m => m._place))}. Remove one.", twice.Key);
        }

        return manifests;
    }

    private FunctionStart ReadStart()
    {
        string? runtime = Annotation(RuntimeKey);
        if (runtime is not (null or "Docker" or "Development"))
        {
            throw Invalid(RuntimeKey, runtime, "'Docker' or 'Development'");
        }

        return new FunctionStart(Name)
        {
            Reference = Annotation(ImageKey) ?? Package,
            DevelopmentTarget = runtime == "Development" ? Annotation(TargetKey) ?? DevelopmentTarget.Default : null,
            PullPolicy = ReadEnum(PullPolicyKey, PullPolicy.IfNotPresent),
            Cleanup = ReadEnum(CleanupKey, ContainerCleanup.Remove),
            ContainerName = Annotation(ContainerNameKey),
            Environment = [.. ReadEnvironment()],
            PublishAddress = ReadPublishAddress(),
            ContainerHost = Annotation(ContainerHostKey),
            ContainerNetwork = Annotation(NetworkKey),
        };
    }

    private TEnum ReadEnum<TEnum>(string key, TEnum otherwise)
        where TEnum : struct, Enum
    {
        string? text = Annotation(key);
        return text is null ? otherwise
            : Enum.TryParse(text, ignoreCase: false, out TEnum value) && Enum.GetName(value) == text ? value
            : throw Invalid(key, text, string.Join(", ", Enum.GetNames<TEnum>()));
    }

    private IEnumerable<KeyValuePair<string, string>> ReadEnvironment()
    {
        foreach (string pair in Annotation(EnvironmentKey)?.Split(',') ?? [])
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            yield return equals > 0
                ? KeyValuePair.Create(pair[..equals].Trim(), pair[(equals + 1)..])
                : throw Invalid(EnvironmentKey, pair, "name=value, several separated by commas");
        }
    }

    private string? ReadPublishAddress() =>
        Annotation(PublishAddressKey) is not { } text || IPAddress.TryParse(text, out _)
            ? Annotation(PublishAddressKey)
            : throw Invalid(PublishAddressKey, text, "an IP address, such as 127.0.0.1 or 0.0.0.0");

    private string? Annotation(string key) => _annotations.GetValueOrDefault(key) is { Length: > 0 } text ? text : null;

    private FunctionBuildException Invalid(string key, string value, string expected) =>
        new("InvalidFunctionAnnotation", FaultKind.InvalidData, $"{_place}: the annotation '{key}' is '{value}'; expected is {expected}.", Name);
}
