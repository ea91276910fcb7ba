namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>The versions of the function protocol that a function serves.</summary>
[Flags]
internal enum FunctionVersions
{
    None = 0,
    V1 = 1,
    V1Beta1 = 2,
}
