using System.Collections;
using System.Management.Automation;

namespace FunctionBuild.Shell;

/// <summary>
/// Takes text and files for paths, and nothing else: the shell would make text of whatever comes through the pipeline, and
/// then there is no file of that name.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class PathTextAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        IsPath(inputData) || (Plain(inputData) is IList list && list.Cast<object?>().All(IsPath))
            ? inputData
            : throw new ArgumentTransformationMetadataException("A path is expected.", new PSInvalidCastException($"'{inputData}' is no path."));

    private static bool IsPath(object? value) => Plain(value) is string or FileSystemInfo or PathInfo;

    private static object? Plain(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;
}
