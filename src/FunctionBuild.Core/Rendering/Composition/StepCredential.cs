namespace FunctionBuild.Core.Rendering.Composition;

/// <summary>Credentials that a pipeline step takes from a Secret.</summary>
/// <param name="Name">The name by which the function asks for them.</param>
/// <param name="SecretNamespace">The Secret's namespace.</param>
/// <param name="SecretName">The Secret's name.</param>
internal sealed record StepCredential(string Name, string SecretNamespace, string SecretName);
