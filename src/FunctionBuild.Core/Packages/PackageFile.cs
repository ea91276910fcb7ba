using FunctionBuild.Core.Workspaces;

namespace FunctionBuild.Core.Packages;

/// <summary>What was read from one package file.</summary>
public sealed class PackageFile
{
    internal PackageFile(string path, BuildWorkspace workspace, IReadOnlyList<PackagedImage> images)
    {
        Path = path;
        Workspace = workspace;
        Images = images;
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>The workspace that it was read into.</summary>
    public BuildWorkspace Workspace { get; }

    /// <summary>The images, in the order in which the file lists them.</summary>
    internal IReadOnlyList<PackagedImage> Images { get; }

    /// <summary>The path.</summary>
    public override string ToString() => Path;
}
