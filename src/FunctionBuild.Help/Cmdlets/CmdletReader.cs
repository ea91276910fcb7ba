using System.Reflection;

namespace FunctionBuild.Help.Cmdlets;

/// <summary>Reads the cmdlets of an assembly from its metadata; no code of it runs.</summary>
public static class CmdletReader
{
    private const string Namespace = "System.Management.Automation.";
    private const string SwitchType = Namespace + "SwitchParameter";

    /// <summary>The public cmdlets of an assembly, in order of their names.</summary>
    /// <param name="assembly">The assembly's file.</param>
    /// <param name="references">Files of all assemblies that it refers to, those of .NET included.</param>
    public static IReadOnlyList<CmdletDescription> Read(string assembly, IEnumerable<string> references)
    {
        using var context = new MetadataLoadContext(new PathAssemblyResolver([.. references, assembly]));
        return
        [
            .. context.LoadFromAssemblyPath(Path.GetFullPath(assembly)).GetTypes()
                .Where(t => t.IsPublic && !t.IsAbstract && Find(t, "CmdletAttribute") is not null)
                .Select(Describe)
                .OrderBy(c => c.Name, StringComparer.Ordinal),
        ];
    }

    private static CmdletDescription Describe(Type type)
    {
        CustomAttributeData cmdlet = Find(type, "CmdletAttribute")!;
        List<CmdletParameter> parameters = [.. type.GetProperties().Select(DescribeParameter).OfType<CmdletParameter>()];
        if (Named(cmdlet, "SupportsShouldProcess", false))
        {
            parameters.Add(CommonSwitch("WhatIf", "wi"));
            parameters.Add(CommonSwitch("Confirm", "cf"));
        }

        List<string> sets = [.. parameters.SelectMany(p => p.Sets.Keys).Where(s => s != CmdletParameter.AllSets).Distinct()];
        string first = Named(cmdlet, "DefaultParameterSetName", CmdletParameter.AllSets);
        return new CmdletDescription
        {
            Verb = (string)cmdlet.ConstructorArguments[0].Value!,
            Noun = (string)cmdlet.ConstructorArguments[1].Value!,
            Sets = sets.Count == 0 ? [first] : [.. sets.OrderBy(s => s == first ? 0 : 1)],
            Parameters = parameters,
            OutputTypes =
            [
                .. type.GetCustomAttributesData()
                    .Where(a => a.AttributeType.FullName == Namespace + "OutputTypeAttribute")
                    .SelectMany(a => Flatten(a.ConstructorArguments))
                    .Select(v => v is Type output ? FullName(output) : (string)v)
                    .Distinct(),
            ],
        };
    }

    private static CmdletParameter? DescribeParameter(PropertyInfo property)
    {
        List<CustomAttributeData> declared = [.. property.GetCustomAttributesData().Where(a => a.AttributeType.FullName == Namespace + "ParameterAttribute" && !Named(a, "DontShow", false))];
        if (declared.Count == 0)
        {
            return null;
        }

        Type type = Nullable(property.PropertyType);
        Type element = type.IsArray ? Nullable(type.GetElementType()!) : type;
        bool isSwitch = type.FullName == SwitchType;
        return new CmdletParameter
        {
            Name = property.Name,
            TypeName = ShortName(type),
            ElementType = FullName(element),
            IsSwitch = isSwitch,
            IsArray = type.IsArray,
            Globbing = Find(property, "SupportsWildcardsAttribute") is not null,
            Aliases = Texts(property, "AliasAttribute"),
            Values = Texts(property, "ValidateSetAttribute") is { Count: > 0 } values ? values : EnumNames(element),
            Sets = declared.ToDictionary(a => Named(a, "ParameterSetName", CmdletParameter.AllSets), DescribeInSet),
        };
    }

    private static ParameterInSet DescribeInSet(CustomAttributeData attribute) => new(
        Named(attribute, "Position", int.MinValue) is int position and not int.MinValue ? position : null,
        Named(attribute, "Mandatory", false),
        Named(attribute, "ValueFromPipeline", false),
        Named(attribute, "ValueFromPipelineByPropertyName", false),
        Named(attribute, "ValueFromRemainingArguments", false));

    private static CmdletParameter CommonSwitch(string name, string alias) => new()
    {
        Name = name,
        TypeName = "SwitchParameter",
        ElementType = SwitchType,
        IsSwitch = true,
        IsCommon = true,
        Aliases = [alias],
        Sets = new Dictionary<string, ParameterInSet> { [CmdletParameter.AllSets] = new(null, false, false, false, false) },
    };

    private static CustomAttributeData? Find(MemberInfo member, string name) =>
        member.GetCustomAttributesData().FirstOrDefault(a => a.AttributeType.FullName == Namespace + name);

    private static T Named<T>(CustomAttributeData attribute, string name, T otherwise) =>
        attribute.NamedArguments.Where(a => a.MemberName == name).Select(a => (T)a.TypedValue.Value!).DefaultIfEmpty(otherwise).Single();

    private static List<string> Texts(MemberInfo member, string attribute) =>
        Find(member, attribute) is { } found ? [.. Flatten(found.ConstructorArguments).OfType<string>()] : [];

    private static IEnumerable<object> Flatten(IEnumerable<CustomAttributeTypedArgument> arguments) =>
        arguments.SelectMany(a => a.Value is IEnumerable<CustomAttributeTypedArgument> several ? Flatten(several) : a.Value is null ? [] : [a.Value]);

    private static List<string> EnumNames(Type type) =>
        type.IsEnum ? [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => f.Name)] : [];

    private static Type Nullable(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition().FullName == "System.Nullable`1" ? type.GetGenericArguments()[0] : type;

    private static string ShortName(Type type)
    {
        if (type.IsArray)
        {
            return ShortName(type.GetElementType()!) + "[]";
        }

        return type.IsGenericType
            ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(ShortName))}>"
            : type.Name;
    }

    private static string FullName(Type type) => type.FullName ?? type.Name;
}
