using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>
/// Reads streams of YAML documents, or one of JSON, as Kubernetes does (<see cref="YamlScalar"/>). A key that comes twice is
/// an error, since what was meant is not known. Documents without content are passed over.
/// </summary>
internal sealed class YamlReader
{
    private const string TagPrefix = "tag:yaml.org,2002:";
    private const int MaximumDepth = 200;
    private const int MaximumNodes = 2_000_000;

    private static readonly JsonDocumentOptions JsonOptions = new() { AllowDuplicateProperties = false, MaxDepth = MaximumDepth };

    private readonly string _source;
    private readonly Dictionary<string, JsonNode?> _anchors = new(StringComparer.Ordinal);
    private readonly Parser _parser;
    private int _document;
    private int _nodes;

    private YamlReader(string text, string source)
    {
        _source = source;
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>Reads the documents of a text.</summary>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="source">Where it is from, for messages.</param>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>InvalidYaml</c>, <c>DuplicateKey</c> or <c>DocumentTooLarge</c>; the message has document and line.
    /// </exception>
    public static IReadOnlyList<InputDocument> Read(string text, string source)
    {
        text = text.StartsWith('\uFEFF') ? text[1..] : text;

        // YAML has JSON within it, but its readers mind tabs and pairs of escapes.
        return ReadJson(text, source) is { } document ? [document] : new YamlReader(text, source).ReadAll();
    }

    private static InputDocument? ReadJson(string text, string source)
    {
        ReadOnlySpan<char> start = text.AsSpan().TrimStart();
        if (start.IsEmpty || start[0] is not ('{' or '['))
        {
            return null;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(text, JsonOptions);
            int line = 1 + text.AsSpan(0, text.Length - start.Length).Count('\n');
            return new InputDocument(JsonValues.FromElement(json.RootElement)!, source, 1, line);
        }
        catch (JsonException)
        {
            // Perhaps YAML in flow style; if not, its reader says what is wrong and where.
            return null;
        }
    }

    private List<InputDocument> ReadAll()
    {
        var documents = new List<InputDocument>();
        try
        {
            _parser.Consume<StreamStart>();
            while (!_parser.Accept<StreamEnd>(out _))
            {
                _document++;
                _anchors.Clear();
                _parser.Consume<DocumentStart>();
                int line = (int)_parser.Current!.Start.Line;
                if (ReadNode(0) is { } content)
                {
                    documents.Add(new InputDocument(content, _source, _document, line));
                }

                _parser.Consume<DocumentEnd>();
            }
        }
        catch (YamlException e)
        {
            throw Error(e.End, "InvalidYaml", FaultKind.InvalidData, $"not valid YAML: {e.Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // What the parser throws when its own state is at odds with the text.
            throw Error(_parser.Current?.End ?? Mark.Empty, "InvalidYaml", FaultKind.InvalidData, "not valid YAML from here on.", e);
        }

        return documents;
    }

    private JsonNode? ReadNode(int depth)
    {
        Mark mark = _parser.Current!.Start;
        if (depth > MaximumDepth)
        {
            throw Error(mark, "DocumentTooLarge", FaultKind.LimitExceeded, $"mappings and lists are more than {MaximumDepth} deep.");
        }

        Count(mark, 1);
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return _anchors.TryGetValue(alias.Value.Value, out JsonNode? node)
                ? Copy(node, mark)
                : throw Error(mark, "InvalidYaml", FaultKind.InvalidData, $"the alias '*{alias.Value}' has no anchor before it.");
        }

        string? anchor = _parser.Current is NodeEvent { Anchor.IsEmpty: false } named ? named.Anchor.Value : null;
        JsonNode? read = _parser.Current switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart => ReadSequence(depth),
            MappingStart => ReadMapping(depth),
            _ => throw Error(mark, "InvalidYaml", FaultKind.InvalidData, "a value is expected."),
        };
        if (anchor is not null)
        {
            _anchors[anchor] = read;
        }

        return read;
    }

    private JsonValue? ReadScalar(Scalar scalar)
    {
        _parser.MoveNext();
        bool isTagged = !scalar.Tag.IsEmpty && !scalar.Tag.IsNonSpecific;
        string tag = isTagged && scalar.Tag.Value.StartsWith(TagPrefix, StringComparison.Ordinal) ? scalar.Tag.Value[TagPrefix.Length..] : string.Empty;
        if (tag == "binary")
        {
            return JsonValue.Create(DecodeBinary(scalar));
        }

        // Tags of one's own have no meaning to Kubernetes: what they mark is text, as in quotes.
        bool isText = tag switch
        {
            "bool" or "int" or "float" or "null" => false,
            "" => isTagged || scalar.Tag.IsNonSpecific || scalar.Style != ScalarStyle.Plain,
            _ => true,
        };
        if (isText)
        {
            return JsonValue.Create(scalar.Value);
        }

        YamlScalar value = YamlScalar.Resolve(scalar.Value);
        string type = value.Type switch
        {
            YamlScalarType.Boolean => "bool",
            YamlScalarType.Integer => "int",
            YamlScalarType.Float => "float",
            YamlScalarType.Null => "null",
            _ => "str",
        };
        if (tag.Length > 0 && tag != type && (tag, type) is not ("float", "int"))
        {
            throw Error(scalar.Start, "InvalidYaml", FaultKind.InvalidData, $"'{scalar.Value}' is tagged !!{tag}, and is none.");
        }

        return value is { Type: YamlScalarType.Float, Value: { } number } && !double.IsFinite(number.GetValue<double>())
            ? throw Error(scalar.Start, "InvalidYaml", FaultKind.InvalidData, $"'{scalar.Value}' is no number that Kubernetes can hold. Put it in quotes if text is meant.")
            : value.Value;
    }

    private JsonArray ReadSequence(int depth)
    {
        _parser.Consume<SequenceStart>();
        var items = new JsonArray();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode(depth + 1));
        }

        return items;
    }

    private JsonObject ReadMapping(int depth)
    {
        _parser.Consume<MappingStart>();
        var own = new JsonObject();
        var merged = new List<JsonObject>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            Mark mark = _parser.Current!.Start;
            if (_parser.Accept<Scalar>(out var key) && key is { Style: ScalarStyle.Plain, Value: "<<" })
            {
                _parser.MoveNext();
                merged.AddRange(ToMerge(ReadNode(depth + 1), mark));
                continue;
            }

            string name = ToKey(ReadNode(depth + 1), mark);
            if (own.ContainsKey(name))
            {
                throw Error(mark, "DuplicateKey", FaultKind.InvalidData, $"the key '{name}' stands here a second time in the same mapping. Remove one of the two.");
            }

            own.Add(name, ReadNode(depth + 1));
        }

        // A mapping's own keys win, then those of the first that is merged.
        foreach (JsonObject mapping in merged)
        {
            foreach ((string name, JsonNode? value) in mapping)
            {
                if (!own.ContainsKey(name))
                {
                    own.Add(name, value?.DeepClone());
                }
            }
        }

        return own;
    }

    private IEnumerable<JsonObject> ToMerge(JsonNode? value, Mark mark) => value switch
    {
        JsonObject mapping => [mapping],
        JsonArray list when list.All(i => i is JsonObject) => list.Cast<JsonObject>(),
        _ => throw Error(mark, "InvalidYaml", FaultKind.InvalidData, "'<<' merges a mapping or a list of mappings, and neither is given."),
    };

    private string ToKey(JsonNode? key, Mark mark) => key is JsonValue value
        ? YamlText.OfKey(value)
        : throw Error(mark, "InvalidYaml", FaultKind.InvalidData, $"a key is a string, and {key switch { null => "no value", JsonArray => "a list", _ => "a mapping" }} is given.");

    private string DecodeBinary(Scalar scalar)
    {
        try
        {
            string base64 = string.Concat(scalar.Value.Where(c => !char.IsWhiteSpace(c)));
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Convert.FromBase64String(base64));
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            throw Error(scalar.Start, "InvalidYaml", FaultKind.InvalidData, "what is tagged !!binary is not Base64 of UTF-8 text.", e);
        }
    }

    private JsonNode? Copy(JsonNode? node, Mark mark)
    {
        Count(mark, CountOf(node));
        return node?.DeepClone();
    }

    // A document of a few lines can mean billions of nodes, by aliases of aliases.
    private void Count(Mark mark, int nodes)
    {
        _nodes += nodes;
        if (_nodes > MaximumNodes)
        {
            throw Error(mark, "DocumentTooLarge", FaultKind.LimitExceeded, $"there are more than {MaximumNodes:N0} values, counting what aliases repeat.");
        }
    }

    private static int CountOf(JsonNode? node) => node switch
    {
        JsonObject mapping => 1 + mapping.Sum(p => CountOf(p.Value)),
        JsonArray list => 1 + list.Sum(CountOf),
        _ => 1,
    };

    private FunctionBuildException Error(Mark mark, string errorId, FaultKind kind, string problem, Exception? cause = null) =>
        new(errorId, kind, $"{_source}, document {Math.Max(_document, 1)}, line {mark.Line}: {problem}", _source, cause);
}
