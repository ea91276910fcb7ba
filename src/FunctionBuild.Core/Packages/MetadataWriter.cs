using System.Globalization;
using System.Text;

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

    /// <summary>A scalar as YAML: plain where nobody can take it for anything but that string, else in double quotes.</summary>
    private static string Scalar(string text) => IsPlain(text) ? text : Quoted(text);

    // Not as JSON would have it: JSON writes what is beyond 16 bits as two escaped surrogates, which YAML has no place for.
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (Rune rune in text.EnumerateRunes())
        {
            quoted = rune.Value switch
            {
                '"' or '\\' => quoted.Append('\\').Append((char)rune.Value),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                (>= ' ' and <= '~') or (>= 0xA0 and <= 0xFFFD and not (0x2028 or 0x2029 or 0xFEFF)) or >= 0x10000 => quoted.Append(rune.ToString()),
                int other => quoted.Append(CultureInfo.InvariantCulture, $"\\u{other:X4}"),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static bool IsPlain(string text) =>
        text.Length > 0
        && (char.IsAsciiLetter(text[0]) || text[0] == '/')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or '/' or '_' or '-' or '+' or '@' or '(' or ')' or ':' or ',')
        && !text.Contains(": ", StringComparison.Ordinal)
        && text[^1] is not (' ' or ':')
        && PlainScalar.IsString(text);
}
