using FunctionBuild.Core.Content;

namespace FunctionBuild.Core.Prefixes;

/// <summary>A file or link that the reading of a tarball has passed.</summary>
/// <param name="Name">Its normalised name.</param>
/// <param name="Entry">What it is.</param>
/// <param name="Bytes">Its bytes when they are few; null when there are many, and for a link.</param>
/// <param name="DataStart">Where its data begin, in decompressed bytes of the tarball.</param>
/// <param name="Length">Bytes of data.</param>
/// <param name="Before">What had been counted when its data began.</param>
internal sealed record PassedEntry(string Name, ArchiveEntry Entry, byte[]? Bytes, long DataStart, long Length, ReadState Before);
