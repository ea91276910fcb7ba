namespace PackImage;

/// <summary>Where a published file comes from.</summary>
internal enum FileOrigin
{
    /// <summary>The .NET runtime.</summary>
    Runtime,

    /// <summary>A package that the program depends on.</summary>
    Package,

    /// <summary>The program itself.</summary>
    Program,
}
