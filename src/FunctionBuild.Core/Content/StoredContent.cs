using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Content;

/// <summary>What is known of bytes after they were read once.</summary>
/// <param name="Blob">Where the bytes are.</param>
/// <param name="Compression">How they are compressed.</param>
/// <param name="DiffId">Digest of the bytes once decompressed; the blob's own when they are not compressed, null when they could not be decompressed.</param>
/// <param name="UncompressedSize">Number of bytes once decompressed.</param>
/// <param name="DecodeFailure">Why the bytes could not be decompressed; null when they could, or need not be.</param>
internal sealed record StoredContent(Blob Blob, Compression Compression, Digest? DiffId, long UncompressedSize, DecodeException? DecodeFailure = null);
