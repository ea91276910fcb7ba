using System.Security.Cryptography;
using FunctionBuild.Core.Oci;

namespace FunctionBuild.Core.Content;

/// <summary>Hashes what is read through it and, when there is a writer, writes it.</summary>
internal sealed class TeeStream(Stream source, BlobWriter? writer) : ReadOnlyStream
{
    private readonly IncrementalHash? _hash = writer is null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    private readonly byte[] _peeked = new byte[Codecs.SniffLength];
    private int _peekedStart;
    private int _peekedEnd;

    /// <summary>How many bytes have passed.</summary>
    public long Passed { get; private set; }

    /// <summary>Whether the last read failed in the source, and not in what reads from here.</summary>
    public bool SourceFailed { get; private set; }

    /// <summary>The first bytes, which the next read returns again; call it before reading.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        _peekedEnd = source.ReadAtLeast(_peeked, _peeked.Length, throwOnEndOfStream: false);
        return _peeked.AsSpan(0, _peekedEnd);
    }

    public override int Read(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _peekedEnd - _peekedStart);
        _peeked.AsSpan(_peekedStart, count).CopyTo(buffer);
        _peekedStart += count;
        if (count < buffer.Length)
        {
            SourceFailed = true;
            count += source.Read(buffer[count..]);
            SourceFailed = false;
        }

        Passed += count;
        writer?.Write(buffer[..count]);
        _hash?.AppendData(buffer[..count]);
        return count;
    }

    /// <summary>The digest of all that passed.</summary>
    public Digest Complete() => writer?.Complete() ?? Digest.FromHash(_hash!.GetHashAndReset());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash?.Dispose();
        }

        base.Dispose(disposing);
    }
}
