using System.Text;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Packages;

/// <summary>Writes the metadata of a function that has no <c>crossplane.yaml</c> of its own.</summary>
public static class MetadataWriter
{
    private const string ApiVersion = "meta.pkg.crossplane.io/v1";

    /// <summary>Makes metadata, in the form in which the reference writes those of a project's functions.</summary>
    /// <exception cref="MetadataException">A value breaks the rules.</exception>
    public static FunctionMetadata Synthesise(MetadataOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        MetadataRules.CheckName(options.Name, (field, problem) => new MetadataException(null, 0, field, problem));
        if (options.CrossplaneVersion is { } version)
        {
            MetadataRules.CheckConstraint(version, (field, problem) => new MetadataException(null, 0, field, problem));
        }

        // Keys in ordinal order throughout, as the reference has them.
        var yaml = new StringBuilder();
        yaml.Append("---\napiVersion: ").Append(ApiVersion).Append("\nkind: Function\nmetadata:\n");
        if (options.Annotations.Count > 0)
        {
            yaml.Append("  annotations:\n");
            foreach ((string key, string value) in options.Annotations.OrderBy(a => a.Key, StringComparer.Ordinal))
            {
                yaml.Append("    ").Append(Scalar(key)).Append(": ").Append(Scalar(value)).Append('\n');
            }
        }

        yaml.Append("  name: ").Append(Scalar(options.Name)).Append('\n');
        bool empty = options.Capabilities.Count == 0 && options.CrossplaneVersion is null;
        yaml.Append(empty ? "spec: {}\n" : "spec:\n");
        if (options.Capabilities.Count > 0)
        {
            yaml.Append("  capabilities:\n");
            foreach (string capability in options.Capabilities)
            {
                yaml.Append("  - ").Append(Scalar(capability)).Append('\n');
            }
        }

        if (options.CrossplaneVersion is { } constraint)
        {
            yaml.Append("  crossplane:\n    version: ").Append(Scalar(constraint)).Append('\n');
        }

        yaml.Append("---\n");
        return new FunctionMetadata
        {
            Name = options.Name,
            ApiVersion = ApiVersion,
            CrossplaneVersion = options.CrossplaneVersion,
            Capabilities = options.Capabilities,
            Annotations = options.Annotations,
            Yaml = yaml.ToString(),
        };
    }

    /// <summary>A scalar as YAML: plain where nobody can take it for anything but that string, else quoted as in JSON, which YAML contains.</summary>
    private static string Scalar(string text) => IsPlain(text)
        ? text
        : Encoding.UTF8.GetString(OciJson.Write(writer => writer.WriteStringValue(text)));

    private static bool IsPlain(string text) =>
        text.Length > 0
        && (char.IsAsciiLetter(text[0]) || text[0] == '/')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or '/' or '_' or '-' or '+' or '@' or '(' or ')' or ':' or ',')
        && !text.Contains(": ", StringComparison.Ordinal)
        && text[^1] is not (' ' or ':')
        && text.ToUpperInvariant() is not ("TRUE" or "FALSE" or "YES" or "NO" or "ON" or "OFF" or "NULL" or "Y" or "N");
}
