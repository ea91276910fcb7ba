namespace FunctionBuild.Core.Prefixes;

/// <summary>What the reading of a tarball has counted, for its limits, when it comes to an entry.</summary>
/// <param name="Entries">Entries before this one.</param>
/// <param name="JsonBytes">Bytes of JSON kept in memory.</param>
/// <param name="NameCharacters">Characters of names and link targets, those of this entry included.</param>
/// <param name="Expanded">Decompressed bytes, also of layers inside the tarball.</param>
internal readonly record struct ReadState(int Entries, int JsonBytes, int NameCharacters, long Expanded);
