using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FunctionBuild.Core.Rendering.Inputs;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace FunctionBuild.Core.Rendering.Output;

/// <summary>
/// Writes JSON as Kubernetes writes YAML (<c>sigs.k8s.io/yaml</c>, which is Go's yaml.v2): keys in natural order, lists at the
/// level of their key, text of several lines as a literal block, long lines folded after 80 columns, and quotes where
/// text would be read as something else.
/// </summary>
public static partial class YamlWriter
{
    // libyaml's defaults.
    private const int Indent = 2;
    private const int Width = 80;
    private const int MaximumSimpleKey = 128;

    private static readonly string ByteOrderMarks = new('\uFEFF', @"\uFEFF".Length);
    private static readonly Comparer<string> KeyOrder = Comparer<string>.Create(NaturalOrder.Compare);

    /// <summary>One document, with a line end and without a separator.</summary>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        using var writer = new StringWriter(text) { NewLine = "\n" };
        var emitter = new Emitter(writer, new EmitterSettings(Indent, Width, isCanonical: false, MaximumSimpleKey, newLine: "\n"));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Write(emitter, node);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return WithEscapes(text.ToString());
    }

    /// <summary>A stream of documents, each after a line <c>---</c>.</summary>
    public static string WriteStream(IEnumerable<JsonNode?> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        return string.Concat(documents.Select(d => "---\n" + Write(d)));
    }

    private static void Write(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject mapping:
                emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, MappingStyle.Block));
                foreach ((string key, JsonNode? value) in mapping.OrderBy(p => p.Key, KeyOrder))
                {
                    WriteText(emitter, key, isKey: true);
                    Write(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Block));
                foreach (JsonNode? item in list)
                {
                    Write(emitter, item);
                }

                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                WriteText(emitter, value.Deserialize<string>()!, isKey: false);
                break;
            case JsonValue value:
                WriteScalar(emitter, YamlText.Of(value), ScalarStyle.Plain);
                break;
            default:
                WriteScalar(emitter, "null", ScalarStyle.Plain);
                break;
        }
    }

    private static void WriteText(Emitter emitter, string text, bool isKey)
    {
        // The emitter's block for a lone line end would be read as nothing.
        ScalarStyle style = text == "\n" ? ScalarStyle.DoubleQuoted
            : text.Contains('\n', StringComparison.Ordinal) ? ScalarStyle.Literal
            : YamlScalar.Resolve(text).Type == YamlScalarType.String && !Base60().IsMatch(text) ? ScalarStyle.Plain
            : ScalarStyle.DoubleQuoted;
        style = ScalarShape.Of(text).Allow(style, isKey);
        WriteScalar(emitter, style == ScalarStyle.DoubleQuoted ? WithRoomForEscapes(text) : text, style);
    }

    // The emitter leaves these two as they are, in the double quotes where alone they can stand. Each is given to it as
    // often as its escape has characters, so that lines are folded at the same place.
    private static string WithRoomForEscapes(string text) =>
        text.Replace("\t", "\t\t", StringComparison.Ordinal).Replace("\uFEFF", ByteOrderMarks, StringComparison.Ordinal);

    private static string WithEscapes(string yaml) =>
        yaml.Replace("\t\t", @"\t", StringComparison.Ordinal).Replace(ByteOrderMarks, @"\uFEFF", StringComparison.Ordinal);

    private static void WriteScalar(Emitter emitter, string text, ScalarStyle style) =>
        emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, text, style, isPlainImplicit: true, isQuotedImplicit: true));

    // Numbers to the base of sixty, as YAML 1.1 has them: Kubernetes reads them as text, other readers may not.
    [GeneratedRegex(@"\A[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Base60();
}
