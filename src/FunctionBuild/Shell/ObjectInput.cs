using System.Collections;
using System.Management.Automation;
using System.Text.RegularExpressions;
using FunctionBuild.Core;
using FunctionBuild.Core.Rendering.Inputs;

namespace FunctionBuild.Shell;

/// <summary>Arguments that are paths, text in YAML or JSON, or objects.</summary>
internal static partial class ObjectInput
{
    /// <summary>
    /// What an argument means. Text of several lines, or that begins with a brace (in a bracket, too), is YAML or JSON, and so
    /// are the lines that a program or Get-Content gives; other text is a path, in which wildcards count unless there is a
    /// file of just that name.
    /// </summary>
    /// <param name="cmdlet">The command.</param>
    /// <param name="argument">The argument.</param>
    /// <param name="parameter">The parameter's name.</param>
    /// <exception cref="FunctionBuildException">ErrorId <c>PathNotFound</c>, <c>PathNotFileSystem</c>, <c>NotAnObject</c> or <c>UnsupportedValue</c>.</exception>
    public static IReadOnlyList<InputSource> Read(PSCmdlet cmdlet, object argument, string parameter) =>
        ReadNamed(cmdlet, argument, $"The argument of -{parameter}");

    /// <summary>What several arguments mean, in their order.</summary>
    public static IReadOnlyList<InputSource> Read(PSCmdlet cmdlet, object[]? arguments, string parameter) =>
        arguments is [var only] ? Read(cmdlet, only, parameter)
            : arguments is not null && TextOf(arguments) is { } text ? Read(cmdlet, text, parameter)
            : [.. (arguments ?? []).SelectMany((a, i) => ReadNamed(cmdlet, a, $"Argument {i + 1} of -{parameter}"))];

    /// <summary>What an argument means that stands for one thing.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>SeveralPaths</c>, or as <see cref="Read(PSCmdlet, object, string)"/>.</exception>
    public static InputSource ReadOne(PSCmdlet cmdlet, object argument, string parameter) => Read(cmdlet, argument, parameter) switch
    {
        [var one] => one,
        var several => throw new FunctionBuildException("SeveralPaths", FaultKind.InvalidArgument, $"-{parameter} takes one, and '{argument}' matches {several.Count}: {string.Join(", ", several.Select(s => s.Name))}.", argument),
    };

    /// <summary>Context values by key: text is YAML or JSON.</summary>
    public static IEnumerable<KeyValuePair<string, InputSource>> Values(IDictionary? values, string parameter)
    {
        foreach (DictionaryEntry entry in values ?? new Hashtable())
        {
            string key = KeyOf(entry);
            string name = $"The context value '{key}' (-{parameter})";
            object? plain = entry.Value is PSObject wrapped ? wrapped.BaseObject : entry.Value;
            yield return KeyValuePair.Create(key, plain is string text ? InputSource.FromText(text, name) : InputSource.FromObject(JsonConversion.ToJson(entry.Value, name), name));
        }
    }

    /// <summary>Files with context values, by key.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>PathNotFound</c>, <c>PathNotFileSystem</c> or <c>SeveralPaths</c>.</exception>
    public static IEnumerable<KeyValuePair<string, InputSource>> Files(PSCmdlet cmdlet, IDictionary? files, string parameter)
    {
        foreach (DictionaryEntry entry in files ?? new Hashtable())
        {
            string path = LanguagePrimitives.ConvertTo<string>(entry.Value);
            yield return KeyValuePair.Create(KeyOf(entry), Paths(cmdlet, path) switch
            {
                [var one] => InputSource.FromPath(one),
                var several => throw new FunctionBuildException("SeveralPaths", FaultKind.InvalidArgument, $"-{parameter} takes one file for a key, and '{path}' matches {several.Count}.", path),
            });
        }
    }

    private static IReadOnlyList<InputSource> ReadNamed(PSCmdlet cmdlet, object argument, string name) =>
        (argument is PSObject wrapped ? wrapped.BaseObject : argument) switch
        {
            string text when Content().IsMatch(text) => [InputSource.FromText(text, name)],
            string text when string.IsNullOrWhiteSpace(text) => throw new FunctionBuildException("NotAnObject", FaultKind.InvalidArgument, $"{name}: a path, YAML, JSON or an object is expected, and this is an empty text.", text),
            string path => [.. Paths(cmdlet, path).Select(InputSource.FromPath)],
            FileSystemInfo file => [InputSource.FromPath(file.FullName)],
            IList list when TextOf(list) is { } text => [InputSource.FromText(text, name)],
            _ => [InputSource.FromObject(JsonConversion.ToJson(argument, name), name)],
        };

    // The shell makes a list of the lines of a file or of a program's output. A path does not begin as YAML and JSON do, and
    // what begins and ends as JSON, or has lines itself, is one text of several.
    private static string? TextOf(IList list)
    {
        string[] lines = [.. list.Cast<object?>().Select(item => item is PSObject wrapped ? wrapped.BaseObject : item).OfType<string>()];
        return lines.Length > 1
            && lines.Length == list.Count
            && !lines.Any(line => line.Contains('\n', StringComparison.Ordinal))
            && lines.FirstOrDefault(line => !NoContent().IsMatch(line)) is { } first
            && FirstLine().IsMatch(first)
            && !Whole().IsMatch(first)
                ? string.Join('\n', lines) + "\n"
                : null;
    }

    private static IReadOnlyList<string> Paths(PSCmdlet cmdlet, string path)
    {
        string literal = PathInput.Literal(cmdlet, path);
        if (!WildcardPattern.ContainsWildcardCharacters(path) || File.Exists(literal) || Directory.Exists(literal))
        {
            return [literal];
        }

        try
        {
            return PathInput.Expand(cmdlet, path);
        }
        catch (FunctionBuildException e) when (e.ErrorId == "PathNotFound")
        {
            throw new FunctionBuildException(e.ErrorId, e.Kind, $"'{path}': no file matches.", path, e);
        }
    }

    private static string KeyOf(DictionaryEntry entry) => LanguagePrimitives.ConvertTo<string>(entry.Key);

    [GeneratedRegex(@"\n|\A\s*(?:\{|\[\s*(?:\{|\]\s*\z))")]
    private static partial Regex Content();

    [GeneratedRegex(@"\A\s*(?:#.*)?\z")]
    private static partial Regex NoContent();

    [GeneratedRegex(@"\A(?:---(?:\s|\z)|\s*(?:\{|\[\s*(?:[{\]]|\z))|(?:-\s+)?[\w""']+\s*:(?:\s|\z))")]
    private static partial Regex FirstLine();

    [GeneratedRegex(@"\A\s*(?:\{.*\}|\[.*\])\s*\z")]
    private static partial Regex Whole();
}
