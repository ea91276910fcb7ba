using System.Text.Json.Nodes;

namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>Something that holds Kubernetes objects: a file or folder, text, or an object that was read already.</summary>
public sealed class InputSource
{
    private InputSource(string name, string? path, string? text, JsonNode? content)
    {
        Name = name;
        Path = path;
        Text = text;
        Content = content;
    }

    /// <summary>The path, or a name for messages.</summary>
    public string Name { get; }

    /// <summary>The full path of a file or folder; null when it is neither.</summary>
    internal string? Path { get; }

    /// <summary>YAML or JSON; null when it is no text.</summary>
    internal string? Text { get; }

    /// <summary>What was read already.</summary>
    internal JsonNode? Content { get; }

    /// <summary>A file, or a folder with files.</summary>
    public static InputSource FromPath(string path) => new(path, path, null, null);

    /// <summary>YAML or JSON.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">What to call it in messages.</param>
    public static InputSource FromText(string text, string name) => new(name, null, text, null);

    /// <summary>An object, or a list of objects.</summary>
    /// <param name="content">The object.</param>
    /// <param name="name">What to call it in messages.</param>
    public static InputSource FromObject(JsonNode? content, string name) => new(name, null, null, content);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
