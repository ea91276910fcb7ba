using System.Text;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Objects;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>Reads what <see cref="InputSource"/> stands for.</summary>
internal static class InputReader
{
    private const long MaximumFileSize = 64 * 1024 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>
    /// The objects of sources, in their order. A folder means its files <c>*.yaml</c> and <c>*.yml</c> in ordinal order of
    /// their names, without those in folders below. An object of kind <c>List</c> stands for its items.
    /// </summary>
    /// <exception cref="FunctionBuildException">
    /// ErrorId <c>PathNotFound</c>, <c>NoInputFiles</c>, <c>InputNotReadable</c> or <c>NotAnObject</c>, or as <see cref="YamlReader"/>.
    /// </exception>
    public static async Task<IReadOnlyList<InputDocument>> ReadObjectsAsync(IEnumerable<InputSource> sources, CancellationToken cancellation)
    {
        var objects = new List<InputDocument>();
        foreach (InputSource source in sources)
        {
            foreach (InputDocument document in await ReadAsync(source, FilesOf, cancellation).ConfigureAwait(false))
            {
                objects.AddRange(ObjectsOf(document));
            }
        }

        return objects;
    }

    /// <summary>The one object that a source holds.</summary>
    /// <param name="source">The source.</param>
    /// <param name="what">What it should be, for messages: <c>composite resource</c>.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>OneObjectExpected</c>, or as <see cref="ReadObjectsAsync"/>.</exception>
    public static async Task<InputDocument> ReadOneAsync(InputSource source, string what, CancellationToken cancellation) =>
        await ReadObjectsAsync([source], cancellation).ConfigureAwait(false) switch
        {
            [var only] => only,
            [] => throw NotOne(source, what, "there is none"),
            var several => throw NotOne(source, what, $"there are {several.Count}"),
        };

    /// <summary>The OpenAPI v3 documents of sources. A folder means its files <c>*.json</c>, with those in folders below, in ordinal order of their paths.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidSchema</c>, or as <see cref="ReadObjectsAsync"/>.</exception>
    public static async Task<IReadOnlyList<InputDocument>> ReadSchemasAsync(IEnumerable<InputSource> sources, CancellationToken cancellation)
    {
        var schemas = new List<InputDocument>();
        foreach (InputSource source in sources)
        {
            foreach (InputDocument document in await ReadAsync(source, SchemaFilesOf, cancellation).ConfigureAwait(false))
            {
                JsonObject schema = document.AsObject();
                if (schema.Child("components").Child("schemas") is null && schema.Child("paths") is null)
                {
                    throw new FunctionBuildException("InvalidSchema", FaultKind.InvalidData, $"{document.Place}: an OpenAPI v3 document is expected, with components.schemas. 'kubectl get --raw /openapi/v3/apis/<group>/<version>' gives one.", source.Name);
                }

                schemas.Add(document);
            }
        }

        return schemas;
    }

    /// <summary>The one value that a source holds, of any kind; null when it holds none.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>OneValueExpected</c>, or as <see cref="ReadObjectsAsync"/>.</exception>
    public static async Task<JsonNode?> ReadValueAsync(InputSource source, CancellationToken cancellation) =>
        source is { Path: null, Text: null }
            ? source.Content
            : await ReadAsync(source, path => [path], cancellation).ConfigureAwait(false) switch
            {
                [] => null,
                [var only] => only.Content,
                var several => throw new FunctionBuildException("OneValueExpected", FaultKind.InvalidData, $"{source.Name}: one value is expected, and there are {several.Count} documents.", source.Name),
            };

    private static async Task<IReadOnlyList<InputDocument>> ReadAsync(InputSource source, Func<string, IReadOnlyList<string>> filesOf, CancellationToken cancellation)
    {
        if (source.Text is not null)
        {
            return YamlReader.Read(source.Text, source.Name);
        }

        if (source.Path is null)
        {
            return source.Content is null ? [] : [new InputDocument(source.Content, source.Name, 1, 0)];
        }

        var documents = new List<InputDocument>();
        foreach (string file in filesOf(source.Path))
        {
            documents.AddRange(YamlReader.Read(await ReadTextAsync(file, cancellation).ConfigureAwait(false), file));
        }

        return documents;
    }

    private static IReadOnlyList<string> FilesOf(string path) =>
        FilesIn(path, SearchOption.TopDirectoryOnly, ".yaml or .yml", file => Path.GetExtension(file) is ".yaml" or ".yml");

    private static IReadOnlyList<string> SchemaFilesOf(string path) =>
        FilesIn(path, SearchOption.AllDirectories, ".json", file => Path.GetExtension(file) is ".json");

    private static string[] FilesIn(string path, SearchOption depth, string extensions, Predicate<string> isWanted)
    {
        if (!Directory.Exists(path))
        {
            return [path];
        }

        try
        {
            string[] files = [.. Directory.EnumerateFiles(path, "*", depth).Where(f => isWanted(f)).Order(StringComparer.Ordinal)];
            return files.Length > 0
                ? files
                : throw new FunctionBuildException("NoInputFiles", FaultKind.NotFound, $"The folder '{path}' has no files that end with {extensions}.", path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotReadable(path, e);
        }
    }

    private static async Task<string> ReadTextAsync(string file, CancellationToken cancellation)
    {
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > MaximumFileSize })
            {
                throw new FunctionBuildException("InputTooLarge", FaultKind.LimitExceeded, $"'{file}' is larger than {MaximumFileSize:N0} bytes.", file);
            }

            return StrictUtf8.GetString(await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false));
        }
        catch (DecoderFallbackException e)
        {
            throw new FunctionBuildException("InvalidYaml", FaultKind.InvalidData, $"'{file}' is not UTF-8 text.", file, e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FunctionBuildException("PathNotFound", FaultKind.NotFound, $"'{file}': no such file or folder.", file, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotReadable(file, e);
        }
    }

    private static IEnumerable<InputDocument> ObjectsOf(InputDocument document)
    {
        // kubectl gives several objects as one list; a list of objects is what a script may have.
        JsonArray? items = document.Content switch
        {
            JsonArray list => list,
            JsonObject list when list.Kind() == "List" && list.ApiVersion() == "v1" => list["items"] as JsonArray ?? [],
            _ => null,
        };
        IEnumerable<InputDocument> documents = items is null
            ? [document]
            : items.Where(i => i is not null).Select((item, index) => document with { Content = item!, Source = $"{document.Source}, item {index + 1}" });
        foreach (InputDocument one in documents)
        {
            JsonObject content = one.AsObject();
            foreach (string field in (string[])["apiVersion", "kind"])
            {
                if (content.Text(field).Length == 0)
                {
                    throw new FunctionBuildException("NotAnObject", FaultKind.InvalidData, $"{one.Place}: a Kubernetes object is expected, and '{field}' is missing or is no text.", one.Source);
                }
            }

            yield return one;
        }
    }

    private static FunctionBuildException NotOne(InputSource source, string what, string found) =>
        new("OneObjectExpected", FaultKind.InvalidData, $"{source.Name}: one {what} is expected, and {found}.", source.Name);

    private static FunctionBuildException NotReadable(string path, Exception cause) =>
        new("InputNotReadable", FaultKind.Read, $"'{path}' cannot be read: {cause.Message}", path, cause);
}
