using System.Diagnostics.CodeAnalysis;

namespace FunctionBuild.Core.Oci;

/// <summary>
/// A SHA-256 content digest, written <c>sha256:</c> and 64 lower-case hexadecimal digits
/// (OCI image spec, "Descriptors: Digests"). Ordered ordinally by its text.
/// </summary>
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    /// <summary>The text before the hexadecimal digits.</summary>
    public const string Prefix = "sha256:";

    private const int HexLength = 64;
    private readonly string? _hex;

    private Digest(string hex) => _hex = hex;

    /// <summary>The 64 hexadecimal digits, without the algorithm.</summary>
    public string Hex => _hex ?? throw new InvalidOperationException("This digest was never set.");

    /// <summary>The first twelve hexadecimal digits, for people.</summary>
    public string ShortHex => Hex[..12];

    /// <summary>Makes a digest of the 32 bytes of a SHA-256 hash.</summary>
    public static Digest FromHash(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, HexLength / 2);
        return new Digest(Convert.ToHexStringLower(hash));
    }

    /// <summary>Hashes bytes in memory.</summary>
    public static Digest Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[HexLength / 2];
        System.Security.Cryptography.SHA256.HashData(content, hash);
        return FromHash(hash);
    }

    /// <summary>Parses <c>sha256:&lt;hex&gt;</c>.</summary>
    /// <exception cref="FormatException">The text is not a SHA-256 digest.</exception>
    public static Digest Parse(string text) => TryParse(text, out Digest digest)
        ? digest
        : throw new FormatException($"'{text}' is not a digest: expected 'sha256:' and 64 lower-case hexadecimal digits.");

    /// <summary>Parses <c>sha256:&lt;hex&gt;</c>; false when the text is anything else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        if (text is not null && text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return TryParseHex(text[Prefix.Length..], out digest);
        }

        digest = default;
        return false;
    }

    /// <summary>Parses 64 lower-case hexadecimal digits; false when the text is anything else.</summary>
    public static bool TryParseHex(string text, out Digest digest)
    {
        bool valid = text.Length == HexLength && text.All(char.IsAsciiHexDigitLower);
        digest = valid ? new Digest(text) : default;
        return valid;
    }

    /// <inheritdoc/>
    public override string ToString() => _hex is null ? string.Empty : Prefix + _hex;

    /// <inheritdoc/>
    public bool Equals(Digest other) => string.Equals(_hex, other._hex, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _hex is null ? 0 : string.GetHashCode(_hex, StringComparison.Ordinal);

    /// <inheritdoc/>
    public int CompareTo(Digest other) => string.CompareOrdinal(_hex, other._hex);

    /// <summary>Equality by content.</summary>
    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    /// <summary>Inequality by content.</summary>
    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    /// <summary>Ordinal order of the texts.</summary>
    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    /// <summary>Ordinal order of the texts.</summary>
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    /// <summary>Ordinal order of the texts.</summary>
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    /// <summary>Ordinal order of the texts.</summary>
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;
}
