using System.Buffers;
using System.IO.Enumeration;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
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
    internal const long MaximumFileSize = 16 * 1024 * 1024;
    private const int MaximumDepth = 200;
    private static readonly SearchValues<char> ForbiddenControls = SearchValues.Create([.. Enumerable.Range(0, 0xA0).Select(c => (char)c).Where(c => char.IsControl(c) && c is not ('\t' or '\n' or '\u0085'))]);
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Reads metadata.</summary>
    /// <param name="path">
    /// A file, or a folder: all <c>*.yaml</c> and <c>*.yml</c> in it and below, in ordinal order of their paths, without hidden ones
    /// and linked folders; those under <c>examples/</c> become the package's examples.
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

    /// <summary>Reads the <c>package.yaml</c> of a package, by the same rules. Its text is kept as it stands there.</summary>
    /// <param name="source">What error messages call it.</param>
    /// <param name="content">The file's bytes.</param>
    /// <exception cref="MetadataException">The metadata break the rules.</exception>
    internal static FunctionMetadata Read(string source, byte[] content)
    {
        string text = Decode(source, content);
        return Lint(source, Parse(source, text)) with { Yaml = text };
    }

    /// <summary>Text without byte order mark and with LF line ends.</summary>
    /// <exception cref="MetadataException">It is not UTF-8, or has characters that YAML does not allow.</exception>
    internal static string Decode(string source, byte[] content)
    {
        try
        {
            string text = StrictUtf8.GetString(content);
            text = (text.StartsWith('\uFEFF') ? text[1..] : text).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
            int control = text.AsSpan().IndexOfAny(ForbiddenControls);
            return control < 0
                ? text
                : throw new MetadataException(source, text.AsSpan(0, control).Count('\n') + 1, null, $"the control character U+{(int)text[control]:X4}, which YAML does not allow.");
        }
        catch (DecoderFallbackException e)
        {
            throw new MetadataException(source, 0, null, "it is not UTF-8 text.", e);
        }
    }

    private static void Collect(string root, List<string> files, List<string> examples)
    {
        foreach (string file in Walk(root).OrderBy(f => f.Replace('\\', '/'), StringComparer.Ordinal))
        {
            string[] parts = Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar);
            if (Path.GetExtension(file) is ".yaml" or ".yml" && !parts.Any(p => p.StartsWith('.')))
            {
                (parts.Length > 1 && parts[0] == ExamplesFolder ? examples : files).Add(file);
            }
        }
    }

    private static List<string> Walk(string root)
    {
        try
        {
            var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.System };
            return [.. new FileSystemEnumerable<string>(root, (ref FileSystemEntry e) => e.ToSpecifiedFullPath(), options)
            {
                ShouldIncludePredicate = (ref FileSystemEntry e) => !e.IsDirectory,
                ShouldRecursePredicate = (ref FileSystemEntry e) => !e.Attributes.HasFlag(FileAttributes.ReparsePoint),
            }];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotReadable(root, e);
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

            return Decode(file, await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotReadable(file, e);
        }
    }

    private static FunctionBuildException NotReadable(string path, Exception cause) =>
        new("MetadataNotReadable", FaultKind.Read, $"'{path}' cannot be read: {cause.Message}", path, cause);

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
            CheckShape(file, firstLine, text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents switch
            {
                [{ RootNode: YamlMappingNode mapping }] => new Document(file, firstLine, mapping, text),
                [_, YamlDocument second, ..] => throw new MetadataException(file, firstLine + (int)second.RootNode.Start.Line, null, "another YAML document begins here. A line '---' of its own is expected between two."),
                _ => throw new MetadataException(file, firstLine + 1, null, "a mapping with apiVersion and kind is expected."),
            };
        }
        catch (YamlException e)
        {
            throw new MetadataException(file, firstLine + (int)e.Start.Line, null, $"not valid YAML: {e.Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // What the parser throws when its own state is at odds with the text.
            throw new MetadataException(file, firstLine + 1, null, "the document that begins here is not valid YAML.", e);
        }
    }

    // The tree is built recursively, and keys are hashed with all that is in them: a document that is nested too deep
    // must not end the process, nor one whose key stands for a billion nodes stop it.
    private static void CheckShape(string file, int firstLine, string text)
    {
        var parser = new Parser(new StringReader(text));
        var open = new Stack<(bool IsMapping, bool KeyNext)>();
        while (parser.MoveNext())
        {
            ParsingEvent current = parser.Current!;
            if ((current is NodeEvent or AnchorAlias) && open.TryPop(out (bool IsMapping, bool KeyNext) parent))
            {
                if (parent is { IsMapping: true, KeyNext: true } && current is not Scalar)
                {
                    throw new MetadataException(file, firstLine + (int)current.Start.Line, null, "a key that is not a string.");
                }

                open.Push((parent.IsMapping, !parent.KeyNext));
            }

            if (current is MappingStart or SequenceStart)
            {
                open.Push((current is MappingStart, true));
            }
            else if (current is MappingEnd or SequenceEnd)
            {
                open.Pop();
            }

            if (open.Count > MaximumDepth)
            {
                throw new MetadataException(file, firstLine + (int)current.Start.Line, null, $"nested more than {MaximumDepth} deep.");
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

                if (!mapping.Children.TryGetValue(new YamlScalarNode(name), out YamlNode? child) || (child is YamlScalarNode scalar && PlainScalar.IsNull(scalar)))
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
            if (node is null)
            {
                throw Error(_root, path, "it is missing.");
            }

            return StringOf(node, path) is { Length: > 0 } text ? text : throw Error(node, path, "it is empty.");
        }

        public List<string> Texts(params ReadOnlySpan<string> path)
        {
            var texts = new List<string>();
            switch (Find(path))
            {
                case null:
                    break;
                case YamlSequenceNode list:
                    foreach (YamlNode node in list)
                    {
                        texts.Add(StringOf(node, path));
                    }

                    break;
                case YamlNode node:
                    throw Error(node, path, "a list of strings is expected.");
            }

            return texts;
        }

        public Dictionary<string, string> Map(params ReadOnlySpan<string> path)
        {
            var map = new Dictionary<string, string>(StringComparer.Ordinal);
            switch (Find(path))
            {
                case null:
                    break;
                case YamlMappingNode mapping:
                    foreach ((YamlNode key, YamlNode value) in mapping)
                    {
                        map.Add(((YamlScalarNode)key).Value ?? string.Empty, StringOf(value, path));
                    }

                    break;
                case YamlNode node:
                    throw Error(node, path, "a map of strings is expected.");
            }

            return map;
        }

        public MetadataException Error(string field, string problem) => new(File, LineOf(Find(field.Split('.'))), field, problem);

        private string StringOf(YamlNode node, ReadOnlySpan<string> path)
        {
            if (node is not YamlScalarNode scalar)
            {
                throw Error(node, path, "a string is expected.");
            }

            return PlainScalar.IsString(scalar)
                ? scalar.Value ?? string.Empty
                : throw Error(node, path, $"a string is expected; without quotes, {(PlainScalar.IsNull(scalar) ? "this" : scalar.Value)} is none.");
        }

        private MetadataException Error(YamlNode node, ReadOnlySpan<string> path, string problem) => new(File, LineOf(node), string.Join('.', path.ToArray()), problem);

        private int LineOf(YamlNode? node) => _firstLine + (int)(node ?? _root).Start.Line;
    }
}
