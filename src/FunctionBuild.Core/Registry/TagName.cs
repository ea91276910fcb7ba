using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Registry;

/// <summary>Tags, by the grammar of the distribution project's references.</summary>
public static class TagName
{
    /// <summary>Makes sure that a tag can be put.</summary>
    /// <exception cref="FunctionBuildException">ErrorId <c>InvalidTag</c>.</exception>
    public static void Check(string tag)
    {
        ArgumentNullException.ThrowIfNull(tag);
        if (ReferenceGrammar.FindTagProblem(tag) is not null)
        {
            throw new FunctionBuildException(
                "InvalidTag",
                FaultKind.InvalidArgument,
                $"'{tag}' cannot be a tag. Expected up to 128 letters, digits, '_', '.' and '-', the first of which is neither '.' nor '-'.",
                tag);
        }
    }
}
