using System.Management.Automation;
using System.Reflection;
using System.Text.Json.Nodes;
using FunctionBuild.Core.Rendering.Output;

namespace FunctionBuild.Shell;

/// <summary>Rendered objects as scripts have them: fields as properties, YAML as text.</summary>
public static class RenderedObject
{
    /// <summary>The name of their type, by which the view finds them.</summary>
    public const string TypeName = "FunctionBuild.RenderedResource";

    private static readonly MethodInfo TextMethod = typeof(RenderedObject).GetMethod(nameof(ToText))!;

    /// <summary>An object as a YAML document with its separator, without a line end; as it is now, if a script changed it.</summary>
    /// <param name="source">The object.</param>
    public static string ToText(PSObject source) => YamlWriter.WriteStream([JsonConversion.ToJson(source, "The object")]).TrimEnd('\n');

    /// <summary>The shell's object for a rendered one.</summary>
    internal static PSObject Create(JsonObject content)
    {
        var created = PSObject.AsPSObject(JsonConversion.FromJson(content));
        created.TypeNames.Insert(0, TypeName);
        created.Members.Add(new PSCodeMethod("ToString", TextMethod));
        return created;
    }
}
