namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>Ids inside a user namespace, and which they are outside.</summary>
/// <param name="Inside">The first id inside.</param>
/// <param name="Outside">The first id outside.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct IdRange(uint Inside, uint Outside, uint Count);
