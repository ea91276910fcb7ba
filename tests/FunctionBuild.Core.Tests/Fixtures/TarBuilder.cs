using System.Text;

namespace FunctionBuild.Core.Tests.Fixtures;

/// <summary>Writes a tar archive block by block, so that a test can also write what a tar library refuses to.</summary>
internal sealed class TarBuilder
{
    private const string GnuMagic = "ustar  \0";
    private readonly List<byte> _bytes = [];

    /// <summary>Number of bytes so far: the offset of what comes next.</summary>
    public long Position => _bytes.Count;

    public TarBuilder File(string name, byte[] content) => Entry(new TarHeader(name) { Size = content.Length }, content);

    public TarBuilder File(string name, string text) => File(name, Encoding.UTF8.GetBytes(text));

    public TarBuilder Directory(string name) => Entry(new TarHeader(name) { Type = '5' });

    public TarBuilder SymbolicLink(string name, string target) => Entry(new TarHeader(name) { Type = '2', LinkName = target });

    public TarBuilder HardLink(string name, string target) => Entry(new TarHeader(name) { Type = '1', LinkName = target });

    /// <summary>GNU's long name for the next entry.</summary>
    public TarBuilder GnuLongName(string name) => GnuLong('L', name);

    /// <summary>GNU's long link target for the next entry.</summary>
    public TarBuilder GnuLongLink(string target) => GnuLong('K', target);

    /// <summary>A pax extended header for the next entry.</summary>
    public TarBuilder Pax(params (string Key, string Value)[] attributes) => Pax('x', attributes);

    /// <summary>A pax extended header for all entries that follow.</summary>
    public TarBuilder GlobalPax(params (string Key, string Value)[] attributes) => Pax('g', attributes);

    /// <summary>A header, content, and zeros up to the next block.</summary>
    public TarBuilder Entry(TarHeader header, byte[]? content = null)
    {
        content ??= [];
        int padding = (TarHeader.BlockSize - (content.Length % TarHeader.BlockSize)) % TarHeader.BlockSize;
        return Raw(header.ToBlock()).Raw(content).Raw(new byte[padding]);
    }

    public TarBuilder Raw(byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>The archive, with the two zero blocks at its end.</summary>
    public byte[] Build() => [.. BuildWithoutEnd(), .. new byte[2 * TarHeader.BlockSize]];

    /// <summary>The archive, without end marker.</summary>
    public byte[] BuildWithoutEnd() => [.. _bytes];

    private TarBuilder GnuLong(char type, string text)
    {
        byte[] content = [.. Encoding.UTF8.GetBytes(text), 0];
        return Entry(new TarHeader("././@LongLink") { Type = type, Size = content.Length, Magic = GnuMagic }, content);
    }

    private TarBuilder Pax(char type, (string Key, string Value)[] attributes)
    {
        byte[] content = [.. attributes.SelectMany(a => PaxRecord(a.Key, a.Value))];
        return Entry(new TarHeader("PaxHeaders/next") { Type = type, Size = content.Length }, content);
    }

    private static byte[] PaxRecord(string key, string value)
    {
        byte[] tail = Encoding.UTF8.GetBytes($" {key}={value}\n");
        int length = tail.Length + 1;
        while (tail.Length + length.ToString(System.Globalization.CultureInfo.InvariantCulture).Length != length)
        {
            length++;
        }

        return [.. Encoding.UTF8.GetBytes($"{length}"), .. tail];
    }
}
