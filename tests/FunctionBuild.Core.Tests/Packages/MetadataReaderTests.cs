using System.Text;
using CsCheck;
using FunctionBuild.Core.Packages;
using FunctionBuild.Core.Tests.Fixtures;

namespace FunctionBuild.Core.Tests.Packages;

public sealed class MetadataReaderTests : IDisposable
{
    private const string Minimal = """
        apiVersion: meta.pkg.crossplane.io/v1
        kind: Function
        metadata:
          name: function-a
        """;

    private const string Crd = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: inputs.a.example.org
        """;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_gives_all_that_it_says()
    {
        FunctionMetadata metadata = await Read("""
            apiVersion: meta.pkg.crossplane.io/v1beta1
            kind: Function
            metadata:
              name: function-a
              annotations:
                meta.crossplane.io/license: Apache-2.0
                quoted: "yes"
            spec:
              crossplane:
                version: ">=v1.20.0"
              capabilities:
              - composition
              - operation
            """);

        Assert.Equal("function-a", metadata.Name);
        Assert.Equal("meta.pkg.crossplane.io/v1beta1", metadata.ApiVersion);
        Assert.Equal(">=v1.20.0", metadata.CrossplaneVersion);
        Assert.Equal(["composition", "operation"], metadata.Capabilities);
        Assert.Equal(new Dictionary<string, string> { ["meta.crossplane.io/license"] = "Apache-2.0", ["quoted"] = "yes" }, metadata.Annotations);
        Assert.Empty(metadata.CustomResourceDefinitions);
        Assert.Null(metadata.Examples);
    }

    [Fact]
    public async Task A_stream_puts_the_function_first_and_leaves_each_text_as_it_was()
    {
        FunctionMetadata metadata = await Read($"# input\n{Crd} # of the function\n--- # next\n{Minimal}\n");

        Assert.Equal($"---\n{Minimal}\n---\n# input\n{Crd} # of the function\n---\n", metadata.Yaml);
        Assert.Equal(["inputs.a.example.org"], metadata.CustomResourceDefinitions);
    }

    [Fact]
    public async Task A_folder_gives_metadata_CRDs_and_examples_in_order_of_their_paths()
    {
        Write("package/crossplane.yaml", Minimal);
        Write("package/input/z.yml", Crd.Replace("inputs", "zs", StringComparison.Ordinal));
        Write("package/input/a.yaml", Crd.Replace("inputs", "as", StringComparison.Ordinal));
        Write("package/examples/two.yaml", "kind: Two\napiVersion: v1\n");
        Write("package/examples/one.yaml", "kind: One\napiVersion: v1\n---\nkind: OneMore\napiVersion: v1");
        Write("package/README.md", "no YAML");
        Write("package/.github/workflow.yaml", "on: push");
        Write("package/empty.yaml", "# nothing\n---\n...\n");

        FunctionMetadata metadata = await ReadPath("package");

        Assert.Equal(["as.a.example.org", "zs.a.example.org"], metadata.CustomResourceDefinitions);
        Assert.Equal("---\nkind: One\napiVersion: v1\n---\nkind: OneMore\napiVersion: v1\n---\nkind: Two\napiVersion: v1\n", metadata.Examples);
        Assert.DoesNotContain("kind: One", metadata.Yaml, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_is_read_without_linked_folders()
    {
        Write("package/crossplane.yaml", Minimal);
        Link("package/loop", _folder.Combine("package"));

        Assert.Equal("function-a", (await ReadPath("package")).Name);
    }

    [Fact]
    public async Task A_linked_file_is_read()
    {
        Write("elsewhere.yaml", Minimal);
        Directory.CreateDirectory(_folder.Combine("package"));
        Link("package/crossplane.yaml", _folder.Combine("elsewhere.yaml"));

        Assert.Equal("function-a", (await ReadPath("package")).Name);
    }

    [Fact]
    public async Task A_path_that_does_not_exist_is_an_error()
    {
        FunctionBuildException error = await Assert.ThrowsAsync<FunctionBuildException>(() => ReadPath("missing"));
        Assert.Equal("PathNotFound", error.ErrorId);
        Assert.Equal(FaultKind.NotFound, error.Kind);
    }

    [Fact]
    public async Task Json_is_YAML() =>
        Assert.Equal("function-a", (await Read("""{"apiVersion":"meta.pkg.crossplane.io/v1","kind":"Function","metadata":{"name":"function-a"}}""")).Name);

    [Fact]
    public async Task A_document_may_begin_on_its_separator_line() =>
        Assert.Equal("function-a", (await Read("--- {apiVersion: meta.pkg.crossplane.io/v1, kind: Function, metadata: {name: function-a}}\n")).Name);

    [Fact]
    public async Task Windows_line_ends_and_a_byte_order_mark_leave_no_trace()
    {
        FunctionMetadata metadata = await Read("\uFEFF" + Minimal.Replace("\n", "\r\n", StringComparison.Ordinal) + "\r\n");

        Assert.Equal($"---\n{Minimal}\n---\n", metadata.Yaml);
    }

    [Fact]
    public async Task Line_separators_inside_a_string_are_kept()
    {
        string text = $"{Minimal}\n  annotations:\n    a: \"one\u2028      two\"\n";

        FunctionMetadata metadata = await Read(text);

        Assert.Equal($"---\n{text}---\n", metadata.Yaml);
    }

    [Fact]
    public async Task Anchors_aliases_and_string_tags_are_understood()
    {
        FunctionMetadata metadata = await Read("""
            apiVersion: meta.pkg.crossplane.io/v1
            kind: Function
            metadata:
              name: &name function-a
              annotations:
                alias: *name
                tagged: !!str 1.20
              labels: {}
            """);

        Assert.Equal("function-a", metadata.Annotations["alias"]);
        Assert.Equal("1.20", metadata.Annotations["tagged"]);
    }

    [Fact]
    public async Task A_separator_inside_a_block_scalar_ends_the_document()
    {
        MetadataException error = await ReadError($"{Minimal}\n  annotations:\n    text: |\n---\n      more\n");

        Assert.Equal(8, error.Line);
    }

    [Fact]
    public async Task An_indented_separator_is_text()
    {
        FunctionMetadata metadata = await Read($"{Minimal}\n  annotations:\n    text: |\n      ---\n      more\n");

        Assert.Equal("---\nmore\n", metadata.Annotations["text"]);
    }

    [Fact]
    public Task A_missing_field_points_at_its_object() => Expect(6, "metadata.name", $"""
        {Crd}
        ---
        apiVersion: meta.pkg.crossplane.io/v1
        kind: Function
        """);

    [Theory]
    [InlineData("metadata.name", "name: function-a", "name: Function_A")]
    [InlineData("metadata.name", "name: function-a", "name: -a")]
    [InlineData("metadata.name", "name: function-a", "name: a-")]
    [InlineData("metadata.name", "name: function-a", "name: a.b")]
    [InlineData("metadata.name", "name: function-a", "name: a234567890123456789012345678901234567890123456789012345678901234")]
    [InlineData("metadata.name", "name: function-a", "name: ''")]
    [InlineData("metadata.name", "name: function-a", "name: 12")]
    [InlineData("metadata.name", "name: function-a", "name: 0x1F")]
    [InlineData("metadata.name", "name: function-a", "name: 1e3")]
    [InlineData("metadata.name", "name: function-a", "name: !!int '12'")]
    [InlineData("metadata.name", "name: function-a", "name: [a]")]
    [InlineData("metadata.name", "name: function-a", "name: on")]
    [InlineData("kind", "kind: Function", "kind: Provider")]
    [InlineData("kind", "kind: Function", "kind: true")]
    public Task A_field_that_breaks_a_rule_is_pointed_at(string field, string old, string wrong) =>
        Expect(wrong.StartsWith("kind", StringComparison.Ordinal) ? 4 : 6, field, "# first line\n---\n" + Minimal.Replace(old, wrong, StringComparison.Ordinal));

    [Fact]
    public async Task A_name_of_sixty_three_digits_and_letters_is_a_label() =>
        Assert.Equal(63, (await Read(Minimal.Replace("function-a", "1" + new string('a', 62), StringComparison.Ordinal))).Name.Length);

    [Theory]
    [InlineData("~1.20")]
    [InlineData("\">=1.20 <3\"")]
    [InlineData("v1.20")]
    [InlineData("1.20.0")]
    public async Task A_version_constraint_that_is_one_passes(string constraint) =>
        Assert.Equal(constraint.Trim('"'), (await Read($"{Minimal}\nspec:\n  crossplane:\n    version: {constraint}\n")).CrossplaneVersion);

    [Theory]
    [InlineData("1.20")]
    [InlineData("2")]
    [InlineData("latest")]
    [InlineData("''")]
    [InlineData("{}")]
    public Task A_version_constraint_that_is_none_is_pointed_at(string constraint) =>
        Expect(7, "spec.crossplane.version", $"{Minimal}\nspec:\n  crossplane:\n    version: {constraint}\n");

    [Theory]
    [InlineData("crossplane: null")]
    [InlineData("crossplane: ~")]
    [InlineData("crossplane:")]
    [InlineData("{}")]
    public async Task No_version_constraint_is_no_error(string spec) =>
        Assert.Null((await Read($"{Minimal}\nspec:\n  {spec}\n")).CrossplaneVersion);

    [Fact]
    public Task A_crossplane_field_without_version_is_an_error() => Expect(1, "spec.crossplane.version", $"{Minimal}\nspec:\n  crossplane: {{}}\n");

    [Theory]
    [InlineData("spec.capabilities", 6, "spec:\n  capabilities: composition")]
    [InlineData("spec.capabilities", 7, "spec:\n  capabilities:\n  - 1")]
    [InlineData("spec.capabilities", 7, "spec:\n  capabilities:\n  - {a: b}")]
    [InlineData("metadata.annotations", 6, "  annotations:\n    a: true")]
    [InlineData("metadata.annotations", 6, "  annotations:\n    a: null")]
    [InlineData("metadata.annotations", 5, "  annotations: []")]
    public Task A_field_of_another_type_is_pointed_at(string field, int line, string more) => Expect(line, field, $"{Minimal}\n{more}\n");

    [Theory]
    [InlineData("v1", "ConfigMap")]
    [InlineData("apiextensions.k8s.io/v1", "Other")]
    [InlineData("apiextensions.k8s.io/v2", "CustomResourceDefinition")]
    [InlineData("apiextensions.crossplane.io/v1", "Composition")]
    public Task Only_CRDs_may_stand_beside_the_function(string apiVersion, string kind) =>
        Expect(7, "kind", $"{Minimal}\n---\napiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: a}}\n");

    [Fact]
    public Task Another_version_of_the_function_is_an_error() => Expect(2, "kind", Minimal.Replace("/v1", "/v1alpha1", StringComparison.Ordinal));

    [Fact]
    public async Task No_function_is_an_error()
    {
        MetadataException error = await ReadError(Crd);
        Assert.Contains("none was found", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_functions_are_an_error_that_names_both_places()
    {
        Write("package/a.yaml", Minimal);
        Write("package/b.yaml", $"# two\n\n{Minimal}");

        MetadataException error = await Assert.ThrowsAsync<MetadataException>(() => ReadPath("package"));

        Assert.Contains($"'{_folder.Combine(Path.Combine("package", "a.yaml"))}' line 1", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{_folder.Combine(Path.Combine("package", "b.yaml"))}' line 3", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: 1\na: 2", 2)]
    [InlineData("a:\n\tb: 1", 1)]
    [InlineData("a: [1,\n2", 1)]
    [InlineData("a: [1,\n2]]", 1)]
    [InlineData("a: *nowhere", 1)]
    [InlineData("a: &a [*a]", 1)]
    [InlineData("a: 'x", 1)]
    [InlineData("a: b: c", 1)]
    [InlineData("- a", 1)]
    [InlineData("text", 1)]
    [InlineData("a: 1\n...\nb: 2", 3)]
    [InlineData("a: 1\n--- {b: 2}", 2)]
    [InlineData("? [a, b]\n: c", 1)]
    [InlineData("a: 1\n? {b: 2}\n: c", 2)]
    [InlineData("%YAML 1.2", 2)]
    public async Task What_is_not_one_mapping_is_an_error_with_its_line(string text, int line)
    {
        MetadataException error = await ReadError($"{Minimal}\n---\n{text}\n");

        Assert.Equal(line + 5, error.Line);
        Assert.Equal(_folder.Combine("crossplane.yaml"), error.File);
        Assert.Contains($"'{error.File}', line {error.Line}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{a: ", "}")]
    public async Task Nesting_has_a_limit(string open, string close)
    {
        string deep = string.Concat(Enumerable.Repeat(open, 100_000)) + string.Concat(Enumerable.Repeat(close, 100_000));
        MetadataException error = await ReadError($"{Minimal}\ndeep: {deep}");

        Assert.Equal(5, error.Line);
        Assert.Contains("nested", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Aliases_of_aliases_are_not_expanded()
    {
        var text = new StringBuilder(Minimal).Append("\nbomb:\n  a0: &a0 [x]\n");
        for (int i = 1; i <= 60; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n");
        }

        Assert.Equal("function-a", (await Read(text.ToString())).Name);
    }

    [Fact]
    public Task An_alias_as_key_is_an_error() => Expect(6, null, $"{Minimal}\na: &a [x]\n? *a\n: b\n");

    [Theory]
    [InlineData(new byte[] { (byte)'a', 0xFF })]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, (byte)'a', 0xC3 })]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'a', 0 })]
    public async Task What_is_not_UTF8_is_an_error(byte[] content)
    {
        _folder.Write("crossplane.yaml", content);

        MetadataException error = await Assert.ThrowsAsync<MetadataException>(() => ReadPath("crossplane.yaml"));

        Assert.Contains("UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData('\0')]
    [InlineData('\u0007')]
    [InlineData('\u007F')]
    public Task A_control_character_is_an_error(char control) => Expect(6, null, $"{Minimal}\n# next\na: 'x{control}'");

    [Fact]
    public void Any_text_is_read_or_refused_with_its_place()
    {
        string[] parts = ["a: ", "b: ", ": ", ":", "\n", "\n  ", "- ", "? ", "[", "]", "{", "}", ", ", "'", "\"", "#", "&a ", "*a", "!", "!!str ", "|", ">", "%YAML 1.2\n", "\n---\n", "--- ", "\n...\n", "\t", "\\", "~", "<<: ", "1", "é", "\u2028", "\0"];
        Gen.Int[0, parts.Length - 1].Array[1, 14].Select(picks => string.Concat(picks.Select(p => parts[p]))).Sample(
            text =>
            {
                FunctionMetadata? metadata = null;
                try
                {
                    metadata = Read($"{Minimal}\n---\n{text}").GetAwaiter().GetResult();
                }
                catch (MetadataException e)
                {
                    Assert.InRange(e.Line, 1, 100);
                }

                Assert.True(metadata is null || metadata.CustomResourceDefinitions.Count == 0);
            },
            iter: 500,
            threads: 1);
    }

    [Fact]
    public async Task A_huge_file_is_refused_before_it_is_read()
    {
        using (FileStream file = File.Create(_folder.Combine("crossplane.yaml")))
        {
            file.SetLength(17 * 1024 * 1024);
        }

        MetadataException error = await Assert.ThrowsAsync<MetadataException>(() => ReadPath("crossplane.yaml"));
        Assert.Contains("larger", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_example_that_is_no_object_points_at_its_file()
    {
        Write("package/crossplane.yaml", Minimal);
        Write("package/examples/a.yaml", "# an example\nspec: {}\n");

        MetadataException error = await Assert.ThrowsAsync<MetadataException>(() => ReadPath("package"));

        Assert.Equal(_folder.Combine(Path.Combine("package", "examples", "a.yaml")), error.File);
        Assert.Equal(2, error.Line);
        Assert.Equal("kind", error.Field);
    }

    private async Task Expect(int line, string? field, string text)
    {
        MetadataException error = await ReadError(text);

        Assert.Equal(field, error.Field);
        Assert.Equal(line, error.Line);
        Assert.Equal("MetadataInvalid", error.ErrorId);
    }

    private Task<MetadataException> ReadError(string text) => Assert.ThrowsAsync<MetadataException>(() => Read(text));

    private Task<FunctionMetadata> Read(string text)
    {
        Write("crossplane.yaml", text);
        return ReadPath("crossplane.yaml");
    }

    private Task<FunctionMetadata> ReadPath(string name) => MetadataReader.ReadAsync(_folder.Combine(name), TestContext.Current.CancellationToken);

    private void Write(string name, string text)
    {
        string path = _folder.Combine(name.Replace('/', Path.DirectorySeparatorChar));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private void Link(string name, string target)
    {
        try
        {
            File.CreateSymbolicLink(_folder.Combine(name), target);
        }
        catch (IOException e) when (OperatingSystem.IsWindows())
        {
            Assert.Skip($"Links cannot be made here: {e.Message}");
        }
    }
}
