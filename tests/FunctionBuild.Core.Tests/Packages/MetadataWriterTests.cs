using CsCheck;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tests.Fixtures;
using YamlDotNet.RepresentationModel;

namespace FunctionBuild.Core.Tests.Packages;

public sealed class MetadataWriterTests : IDisposable
{
    private static readonly string[] Misleading =
    [
        "", " ", "~", "null", "NULL", "true", "True", "yes", "Yes", "no", "on", "Off", "y", "N", "=", "<<", "1", "-1", "+1", "1e3", "1_000", "0x1F", "0o7", "0b1", "1.20", ".5", ".inf", "-.INF", ".NaN",
        "2024-01-01", "2024-01-01T00:00:00Z", "12:30:45", "- a", "? a", ": a", "a: b", "a:", "a #b", "#a", "&a", "*a", "!a", "!!str a", "|", ">", "%a", "@a", "`a", "[a]", "{a}", "a, b", "'a'", "\"a\"", "a\\b",
        "---", "...", "--- a", "a\nb", "a\r\nb", "\ta", "a\t", "a ", " a", "\0", "\u007F", "\u0085", "\u00A0", "\u2028", "\u2029", "\uFEFF", "\uFFFE", "\uE000", "\U0001F600", "\U000E0001", "\U0010FFFF", "é", "漢字", "/path", "https://example.org/a?b=c",
    ];

    // Any text of whole characters: lone surrogates are no text.
    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.Int[0, Misleading.Length - 1].Select(i => Misleading[i]),
        Gen.OneOf(Gen.Int[0, 0xD7FF], Gen.Int[0xE000, 0x10FFFF], Gen.Int[0x20, 0x7E]).Select(char.ConvertFromUtf32).Array[0, 12].Select(string.Concat));

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_metadata_of_a_projects_function_are_as_the_reference_writes_them()
    {
        FunctionMetadata metadata = MetadataWriter.Synthesise(new MetadataOptions
        {
            Name = "platform-compose",
            CrossplaneVersion = ">=v2.0.0-rc.0",
            Annotations = new Dictionary<string, string>
            {
                ["meta.crossplane.io/source"] = "https://example.org/platform",
                ["meta.crossplane.io/description"] = "Function compose from project platform",
            },
        });

        Assert.Equal(
            """
            ---
            apiVersion: meta.pkg.crossplane.io/v1
            kind: Function
            metadata:
              annotations:
                meta.crossplane.io/description: Function compose from project platform
                meta.crossplane.io/source: https://example.org/platform
              name: platform-compose
            spec:
              capabilities:
              - composition
              - operation
              crossplane:
                version: ">=v2.0.0-rc.0"
            ---

            """,
            metadata.Yaml);
        Assert.Equal("platform-compose", metadata.Name);
        Assert.Equal("meta.pkg.crossplane.io/v1", metadata.ApiVersion);
    }

    [Fact]
    public void Nothing_but_a_name_is_enough() =>
        Assert.Equal(
            "---\napiVersion: meta.pkg.crossplane.io/v1\nkind: Function\nmetadata:\n  name: a\nspec: {}\n---\n",
            MetadataWriter.Synthesise(new MetadataOptions { Name = "a", Capabilities = [] }).Yaml);

    [Theory]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("1e3")]
    [InlineData("0x1f")]
    [InlineData("2024-01-01")]
    [InlineData("yes")]
    [InlineData("007")]
    public async Task A_name_that_looks_like_another_type_stays_a_string(string name)
    {
        FunctionMetadata metadata = MetadataWriter.Synthesise(new MetadataOptions { Name = name });

        Assert.Contains($"\n  name: \"{name}\"\n", metadata.Yaml, StringComparison.Ordinal);
        Assert.Equal(name, (await ReadBack(metadata)).Name);
    }

    [Theory]
    [InlineData("Upper", null, "metadata.name")]
    [InlineData("~", null, "metadata.name")]
    [InlineData("=", null, "metadata.name")]
    [InlineData("a", "newest", "spec.crossplane.version")]
    public void A_value_that_breaks_the_rules_is_an_error_that_names_the_field(string name, string? version, string field)
    {
        MetadataException error = Assert.Throws<MetadataException>(() => MetadataWriter.Synthesise(new MetadataOptions { Name = name, CrossplaneVersion = version }));

        Assert.Equal(field, error.Field);
        Assert.Null(error.File);
    }

    [Fact]
    public void Characters_beyond_sixteen_bits_are_not_split() =>
        Assert.Contains("  - \"\U0001F600\\u0000\\n\"\n", MetadataWriter.Synthesise(new MetadataOptions { Name = "a", Capabilities = ["\U0001F600\0\n"] }).Yaml, StringComparison.Ordinal);

    [Fact]
    public async Task Misleading_texts_are_read_back_as_they_were()
    {
        FunctionMetadata metadata = MetadataWriter.Synthesise(new MetadataOptions
        {
            Name = "a",
            Capabilities = Misleading,
            Annotations = Misleading.ToDictionary(t => t, t => t),
        });

        FunctionMetadata read = await ReadBack(metadata);

        Assert.Equal(Misleading, read.Capabilities);
        Assert.Equal(metadata.Annotations, read.Annotations);
    }

    [Fact]
    public void Any_text_is_read_back_as_it_was() =>
        Gen.Select(Gen.Dictionary(Text, Text)[0, 5], Text.Array[0, 5]).Sample((annotations, capabilities) =>
        {
            var options = new MetadataOptions { Name = "a", Annotations = annotations, Capabilities = capabilities };
            var stream = new YamlStream();
            stream.Load(new StringReader(MetadataWriter.Synthesise(options).Yaml));
            var root = (YamlMappingNode)stream.Documents[0].RootNode;
            var metadata = (YamlMappingNode)root["metadata"];
            var spec = (YamlMappingNode)root["spec"];

            Assert.Equal(annotations, annotations.Count == 0 ? [] : ((YamlMappingNode)metadata["annotations"]).ToDictionary(p => String(p.Key), p => String(p.Value)));
            Assert.Equal(capabilities, capabilities.Length == 0 ? [] : ((YamlSequenceNode)spec["capabilities"]).Select(String));
        });

    private static string String(YamlNode node)
    {
        var scalar = (YamlScalarNode)node;
        Assert.True(PlainScalar.IsString(scalar), scalar.Value);
        return scalar.Value!;
    }

    private Task<FunctionMetadata> ReadBack(FunctionMetadata metadata)
    {
        File.WriteAllText(_folder.Combine("package.yaml"), metadata.Yaml);
        return MetadataReader.ReadAsync(_folder.Combine("package.yaml"), TestContext.Current.CancellationToken);
    }
}
