namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>A name in a root that is refused; the message says why, and can follow the name and a colon.</summary>
internal sealed class RootFolderException(string problem) : Exception(problem);
