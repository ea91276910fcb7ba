namespace FunctionBuild.Core.Packages;

/// <summary>One platform's image in a package file.</summary>
/// <param name="Source">The file.</param>
/// <param name="Image">The image.</param>
/// <param name="Package">What its package layer says.</param>
/// <param name="Tags">Its tags in the file.</param>
internal sealed record PackagedImage(string Source, PlatformImage Image, FunctionMetadata Package, IReadOnlyList<string> Tags);
