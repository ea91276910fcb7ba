namespace FunctionBuild.Core.Rendering.Inputs;

/// <summary>What a scalar without quotes is.</summary>
internal enum YamlScalarType
{
    /// <summary>Text.</summary>
    String,

    /// <summary>No value.</summary>
    Null,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number with a fraction or an exponent, or one that no integer holds.</summary>
    Float,

    /// <summary>A date or a time; read as text, but written in quotes.</summary>
    Timestamp,

    /// <summary>The key that merges another mapping in.</summary>
    Merge,
}
