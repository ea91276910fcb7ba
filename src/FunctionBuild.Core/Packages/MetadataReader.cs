using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FunctionBuild.Core.Packages;

/// <summary>
/// Reads a function's metadata from a <c>crossplane.yaml</c> or a package folder, and checks them by the rules of the
/// reference's linter: exactly one <c>Function</c> meta object, only CRDs beside it, a valid version constraint.
/// </summary>
public static class MetadataReader
{
    private const string MetaGroup = "meta.pkg.crossplane.io";
    private const string ExamplesFolder = "examples";
    private const long MaximumFileSize = 16 * 1024 * 1024;
    private const int MaximumDepth = 200;

    /// <summary>Reads metadata.</summary>
    /// <param name="path">
    /// A file, or a folder: all <c>*.yaml</c> and <c>*.yml</c> in it and below, in ordinal order of their paths, without hidden ones;
    /// those under <c>examples/</c> become the package's examples.
    /// </param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="MetadataException">The metadata break the rules.</exception>
    /// <exception cref="FunctionBuildException">ErrorId <c>PathNotFound</c>, or <c>MetadataNotReadable</c>.</exception>
    public static async Task<FunctionMetadata> ReadAsync(string path, CancellationToken cancellation)
    {
        path = Path.GetFullPath(path);
        var files = new List<string>();
        var examples = new List<string>();
        if (File.Exists(path))
        {
            files.Add(path);
        }
        else if (Directory.Exists(path))
        {
            Collect(path, files, examples);
        }
        else
        {
            throw new FunctionBuildException("PathNotFound", FaultKind.NotFound, $"'{path}': no such file or folder. Expected a crossplane.yaml, or a folder that holds one.", path);
        }

        var documents = new List<Document>();
        foreach (string file in files)
        {
            documents.AddRange(Parse(file, await ReadTextAsync(file, cancellation).ConfigureAwait(false)));
        }

        FunctionMetadata metadata = Lint(path, documents);
        return examples.Count == 0 ? metadata : metadata with { Examples = await ReadExamplesAsync(examples, cancellation).ConfigureAwait(false) };
    }

    private static void Collect(string root, List<string> files, List<string> examples)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.System };
        foreach (string file in Directory.EnumerateFiles(root, "*", options).OrderBy(f => f.Replace('\\', '/'), StringComparer.Ordinal))
        {
            string[] parts = Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar);
            if (Path.GetExtension(file) is ".yaml" or ".yml" && !parts.Any(p => p.StartsWith('.')))
            {
                (parts.Length > 1 && parts[0] == ExamplesFolder ? examples : files).Add(file);
            }
        }
    }

    private static async Task<string> ReadTextAsync(string file, CancellationToken cancellation)
    {
        try
        {
            if (new FileInfo(file).Length > MaximumFileSize)
            {
                throw new MetadataException(file, 0, null, $"it is larger than {MaximumFileSize:N0} bytes.");
            }

            string text = await File.ReadAllTextAsync(file, new UTF8Encoding(false, throwOnInvalidBytes: true), cancellation).ConfigureAwait(false);
            return text.ReplaceLineEndings("\n");
        }
        catch (DecoderFallbackException e)
        {
            throw new MetadataException(file, 0, null, "it is not UTF-8 text.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FunctionBuildException("MetadataNotReadable", FaultKind.Read, $"'{file}' cannot be read: {e.Message}", file, e);
        }
    }

    private static async Task<string> ReadExamplesAsync(List<string> files, CancellationToken cancellation)
    {
        var stream = new StringBuilder();
        foreach (string file in files)
        {
            foreach (Document document in Parse(file, await ReadTextAsync(file, cancellation).ConfigureAwait(false)))
            {
                document.RequiredText("kind");
                stream.Append("---\n").Append(document.Text);
            }
        }

        return stream.ToString();
    }

    private static FunctionMetadata Lint(string path, List<Document> documents)
    {
        List<Document> metas = [.. documents.Where(d => d.Group == MetaGroup)];
        if (metas.Count != 1)
        {
            string found = metas.Count == 0
                ? "none was found"
                : $"{metas.Count} were found: {string.Join(", ", metas.Select(m => $"'{m.File}' line {m.Line}"))}";
            throw new MetadataException(path, 0, null, $"exactly one object of {MetaGroup} is expected, {found}.");
        }

        Document meta = metas[0];
        if (meta.Kind != "Function" || meta.Version is not ("v1" or "v1beta1"))
        {
            throw meta.Error("kind", $"'{meta.ApiVersion} {meta.Kind}' is not a function's metadata: expected {MetaGroup}/v1, kind Function.");
        }

        foreach (Document other in documents.Where(d => d != meta))
        {
            if (other.Group != "apiextensions.k8s.io" || other.Kind != "CustomResourceDefinition" || other.Version is not ("v1" or "v1beta1"))
            {
                throw other.Error("kind", $"'{other.ApiVersion} {other.Kind}' cannot be in a function package: only CustomResourceDefinitions can stand beside the Function.");
            }
        }

        string name = meta.RequiredText("metadata", "name");
        MetadataRules.CheckName(name, (field, problem) => meta.Error(field, problem));
        string? constraint = null;
        if (meta.Find("spec", "crossplane") is not null)
        {
            constraint = meta.RequiredText("spec", "crossplane", "version");
            MetadataRules.CheckConstraint(constraint, (field, problem) => meta.Error(field, problem));
        }

        var yaml = new StringBuilder("---\n");
        foreach (Document document in documents.Where(d => d != meta).Prepend(meta))
        {
            yaml.Append(document.Text).Append("---\n");
        }

        return new FunctionMetadata
        {
            Name = name,
            ApiVersion = meta.ApiVersion,
            CrossplaneVersion = constraint,
            Capabilities = meta.Texts("spec", "capabilities"),
            Annotations = meta.Map("metadata", "annotations"),
            CustomResourceDefinitions = [.. documents.Where(d => d != meta).Select(d => d.RequiredText("metadata", "name"))],
            Yaml = yaml.ToString(),
        };
    }

    /// <summary>Splits a stream at its separator lines and parses each document that has content.</summary>
    private static List<Document> Parse(string file, string text)
    {
        var documents = new List<Document>();
        string[] lines = text.Split('\n');
        int start = 0;
        for (int i = 0; i <= lines.Length; i++)
        {
            if (i < lines.Length && !IsSeparator(lines[i]))
            {
                continue;
            }

            string[] body = lines[start..i];
            if (!body.All(l => l.Trim() is "" or "..." || l.TrimStart().StartsWith('#')))
            {
                documents.Add(ParseDocument(file, start, string.Join('\n', body).TrimEnd('\n', ' ') + "\n"));
            }

            start = i + 1;
        }

        return documents;
    }

    private static bool IsSeparator(string line) =>
        line.StartsWith("---", StringComparison.Ordinal) && (line.AsSpan(3).Trim().IsEmpty || line.AsSpan(3).TrimStart().StartsWith("#"));

    private static Document ParseDocument(string file, int firstLine, string text)
    {
        try
        {
            CheckDepth(file, firstLine, text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            YamlNode root = stream.Documents.Count == 1
                ? stream.Documents[0].RootNode
                : throw new MetadataException(file, firstLine + 1, null, "several YAML documents without a '---' line between them.");
            return root is YamlMappingNode mapping
                ? new Document(file, firstLine, mapping, text)
                : throw new MetadataException(file, firstLine + (int)root.Start.Line, null, "a mapping with apiVersion and kind is expected.");
        }
        catch (YamlException e)
        {
            throw new MetadataException(file, firstLine + (int)e.Start.Line, null, $"not valid YAML: {e.Message}", e);
        }
    }

    // The tree is built recursively; a document that is nested too deep must not end the process.
    private static void CheckDepth(string file, int firstLine, string text)
    {
        var parser = new Parser(new StringReader(text));
        int depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaximumDepth)
            {
                throw new MetadataException(file, firstLine + (int)parser.Current.Start.Line, null, $"nested more than {MaximumDepth} deep.");
            }
        }
    }

    /// <summary>One YAML document, its place, and its text as it stands in the file.</summary>
    private sealed class Document
    {
        private readonly int _firstLine;
        private readonly YamlMappingNode _root;

        public Document(string file, int firstLine, YamlMappingNode root, string text)
        {
            File = file;
            Text = text;
            _firstLine = firstLine;
            _root = root;
            Kind = RequiredText("kind");
            ApiVersion = RequiredText("apiVersion");
            int slash = ApiVersion.IndexOf('/', StringComparison.Ordinal);
            Group = slash < 0 ? string.Empty : ApiVersion[..slash];
            Version = ApiVersion[(slash + 1)..];
        }

        public string File { get; }

        public string Text { get; }

        public string Kind { get; }

        public string ApiVersion { get; }

        public string Group { get; }

        public string Version { get; }

        public int Line => _firstLine + (int)_root.Start.Line;

        public YamlNode? Find(params ReadOnlySpan<string> path)
        {
            YamlNode node = _root;
            foreach (string name in path)
            {
                if (node is not YamlMappingNode mapping)
                {
                    return null;
                }

                if (!mapping.Children.TryGetValue(new YamlScalarNode(name), out YamlNode? child) || IsNull(child))
                {
                    return null;
                }

                node = child;
            }

            return node;
        }

        public string RequiredText(params ReadOnlySpan<string> path)
        {
            YamlNode? node = Find(path);
            string field = string.Join('.', path.ToArray());
            return node is YamlScalarNode { Value.Length: > 0 } scalar
                ? scalar.Value
                : throw new MetadataException(File, LineOf(node), field, node is null ? "it is missing." : "a string is expected.");
        }

        public IReadOnlyList<string> Texts(params ReadOnlySpan<string> path) => Find(path) switch
        {
            null => [],
            YamlSequenceNode list when list.All(n => n is YamlScalarNode) => [.. list.Select(n => ((YamlScalarNode)n).Value ?? string.Empty)],
            YamlNode node => throw new MetadataException(File, LineOf(node), string.Join('.', path.ToArray()), "a list of strings is expected."),
        };

        public Dictionary<string, string> Map(params ReadOnlySpan<string> path) => Find(path) switch
        {
            null => new Dictionary<string, string>(),
            YamlMappingNode map when map.All(p => p.Key is YamlScalarNode && p.Value is YamlScalarNode) =>
                map.ToDictionary(p => ((YamlScalarNode)p.Key).Value ?? string.Empty, p => ((YamlScalarNode)p.Value).Value ?? string.Empty, StringComparer.Ordinal),
            YamlNode node => throw new MetadataException(File, LineOf(node), string.Join('.', path.ToArray()), "a map of strings is expected."),
        };

        public MetadataException Error(string field, string problem) => new(File, LineOf(Find(field.Split('.'))), field, problem);

        private static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" };

        private int LineOf(YamlNode? node) => _firstLine + (int)(node ?? _root).Start.Line;
    }
}
