using System.Collections.ObjectModel;

namespace FunctionBuild.Core;

/// <summary>
/// Lists of the objects that flow through the pipeline. PowerShell can index a <see cref="ReadOnlyCollection{T}"/>, but not
/// what the compiler makes of a collection expression.
/// </summary>
internal static class ReadOnly
{
    /// <summary>A copy that nobody can change.</summary>
    public static ReadOnlyCollection<T> Copy<T>(IReadOnlyList<T> items) => new([.. items]);
}
